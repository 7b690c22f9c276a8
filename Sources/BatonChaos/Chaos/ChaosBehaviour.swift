package import BatonProtocol

/// What devices do beside sending, and how often: parts of their sends, each device's own choice by its seed.
package struct ChaosBehaviour: Hashable, Sendable {
    /// Leaves its connection for another node.
    package var reconnect = 0.005
    /// Sends a message and drops the connection before the answer, so that it goes to another node again.
    package var resend = 0.01
    /// Sends a message on two nodes at once, without the SDK.
    package var twin = 0.004
    /// Opens a second connection beside the one it has, which displaces that.
    package var second = 0.002
    /// Stops to read for a while.
    package var pause = 0.004
    package var pauseSeconds = 1.0...35.0
    /// Shows another user that it types: one whom it writes to, whom it does not know, or who blocked its user.
    package var typing = 0.02
    /// Asks REST what is unread.
    package var unread = 0.004
    /// What connections without the SDK speak, in turn.
    package var rawEncodings = [Subprotocol.proto, .json]

    package init() {}

    /// One device in so many reads late.
    static let devicesPerLateReader = 3
    /// One message in so many is read as soon as it is applied, by devices that read soon and by those that read late.
    static let readEvery: (soon: UInt64, late: UInt64) = (4, 32)

    package enum Act: Hashable, Sendable {
        case send, reconnect, resend, twin, second, pause, typing, unread
    }

    /// The next thing to do.
    package func act(using generator: inout some RandomNumberGenerator) -> Act {
        var rest = Double.random(in: 0..<1, using: &generator)
        for (act, part) in [
            (Act.reconnect, reconnect), (.resend, resend), (.twin, twin), (.second, second), (.pause, pause),
            (.typing, typing), (.unread, unread),
        ] {
            if rest < part { return act }
            rest -= part
        }
        return .send
    }
}
