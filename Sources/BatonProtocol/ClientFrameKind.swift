/// Every kind of frame that a client sends: the one place where a kind is declared, beside relay.proto.
///
/// The number is the kind's field in the message `ClientFrame`, the name is that field's; a test compares them. What a
/// node sends needs no such list: it is written by name, and each kind has its section in the article `Protocol`.
public enum ClientFrameKind: UInt32, CaseIterable, Sendable {
    case hello = 1
    case send = 2
    case ack = 3
    case read = 4
    case typing = 5
    case watch = 6
    case ping = 7

    /// The name of the field, in both encodings.
    public var name: String { "\(self)" }

    /// Forwarded and forgotten. There may be `Limits.Connection.ephemeralPerSecond` of these kinds together.
    public var isEphemeral: Bool {
        switch self {
        case .typing, .watch: true
        case .hello, .send, .ack, .read, .ping: false
        }
    }
}

extension WireClientFrame.OneOf_Frame {
    /// Which kind of frame it is.
    public var kind: ClientFrameKind {
        switch self {
        case .hello: .hello
        case .send: .send
        case .ack: .ack
        case .read: .read
        case .typing: .typing
        case .watch: .watch
        case .ping: .ping
        }
    }
}
