/// How the client stands to the relay.
public enum ConnectionState: Hashable, Sendable {
    /// Not connected, and not trying by itself.
    case offline(OfflineReason)
    case connecting(RelayAddress)
    /// Connected; the events that waited are coming.
    case catchingUp(node: String)
    /// Connected and live.
    case online(node: String)
    /// The next attempt comes in so long; sooner where the user sends, reads or types, or ``BatonClient/reconnect()`` is
    /// called.
    case waiting(Duration, why: String)
}

/// Why the client does not try to connect.
public enum OfflineReason: Hashable, Sendable {
    /// `connect` was not called yet, or `disconnect` was.
    case requested
    /// A newer connection of the same device took over: that of another client of this process, or the client had come
    /// back and was displaced again within a minute, so that another program is the same device. The first time it comes
    /// back by itself, after about a second, since what took over may have been a connection of its own that is gone.
    case displaced
    /// The device was revoked, logged out, or its refresh token is of no more use: log in again.
    case loggedOut
    /// The device gave way to a new login, since its user had too many: log in again.
    case replaced
    /// The server says that trying again is useless.
    case refused(RelayError)
    /// The server closed the connection with a code that forbids another attempt.
    case closed(code: UInt16, reason: String)
}
