public import BatonCore

/// The catalogue of WebSocket close codes. 1000-1015 are RFC 6455's, 4000-4999 ours.
///
/// The DocC article `Protocol` explains each; a test compares. Numbers are never given to another meaning: 4004 was
/// a token's end, which closes nothing.
public enum CloseCode: UInt16, CaseIterable, Sendable {
    /// RFC 6455: done.
    case normal = 1000
    /// RFC 6455: broken framing.
    case protocolError = 1002
    /// RFC 6455: a text frame that is not UTF-8.
    case invalidUTF8 = 1007
    /// RFC 6455: a message larger than the limit.
    case tooBig = 1009
    /// RFC 6455: the node failed. Reconnect.
    case internalError = 1011

    /// No `hello` in time, or another frame before it.
    case helloExpected = 4000
    /// Too many wrong frames, or more control frames than allowed.
    case misbehaved = 4001
    /// A newer connection of the same device took over. Do not reconnect.
    case displaced = 4002
    /// The device was revoked or logged out. Do not reconnect; log in.
    case revoked = 4003
    /// Nothing was heard for too long. Reconnect.
    case silent = 4005
    /// Events waited and none was acknowledged for too long. Reconnect and resume.
    case stalled = 4006
    /// The node evacuates. Reconnect after the time that `goAway` told.
    case evacuated = 4007
    /// The store could not open the inbox. Reconnect after a while.
    case overloaded = 4008
    /// The device gave way to a new login. Do not reconnect; log in.
    case replaced = 4009

    /// Whether the client should connect again by itself.
    public var shouldReconnect: Bool {
        switch self {
        case .internalError, .silent, .stalled, .evacuated, .overloaded: true
        case .normal, .protocolError, .invalidUTF8, .tooBig, .helloExpected, .misbehaved, .displaced, .revoked,
            .replaced:
            false
        }
    }

    /// What ends the connection of a device that was revoked.
    public init(_ reason: RevocationReason) {
        self = reason == .replaced ? .replaced : .revoked
    }
}
