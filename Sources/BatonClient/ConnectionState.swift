/// How the client stands to the relay.
public enum ConnectionState: Hashable, Sendable {
    /// Not connected, and not trying by itself.
    case offline(OfflineReason)
    case connecting(RelayAddress)
    /// Connected; the events that waited are coming.
    case catchingUp(node: String)
    /// Connected and live.
    case online(node: String)
    /// The next attempt comes in so long.
    case waiting(Duration, why: String)
}

/// Why the client does not try to connect.
public enum OfflineReason: Hashable, Sendable {
    /// `connect` was not called yet, or `disconnect` was.
    case requested
    /// A newer connection of the same device took over.
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
