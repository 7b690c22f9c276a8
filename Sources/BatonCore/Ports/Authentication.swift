/// Verifies access tokens: signature, algorithm, key id, audience and expiry. It does not check whether the device was
/// revoked since; the store knows that.
public protocol TokenVerifier: Sendable {
    func verify(accessToken: String) async throws(AuthenticationError) -> Principal
}

/// A device of a user, proven by a token.
public struct Principal: Hashable, Sendable {
    public let user: UserID
    public let device: DeviceID
    public let expiresAt: Timestamp

    public init(user: UserID, device: DeviceID, expiresAt: Timestamp) {
        self.user = user
        self.device = device
        self.expiresAt = expiresAt
    }
}

public enum AuthenticationError: Error, Hashable, Sendable {
    /// No token came.
    case missing
    /// It is malformed, not signed by us, or not for us. Not told apart for the one who asks.
    case invalid
    case expired
}

/// Civil time, injected so that tests can move it.
public protocol CivilClock: Sendable {
    var now: Timestamp { get }
}

/// Tells all nodes that a device was revoked, for code outside the event loops.
public protocol RevocationAnnouncer: Sendable {
    /// - Returns: false where the bus could not be reached; the nodes' next look at the store finds it then.
    func announceRevoked(_ device: DeviceID, of user: UserID) async -> Bool
}

/// Sessions for code outside the event loops.
public protocol SessionReader: Sendable {
    /// - Returns: a user's devices that have a session; nil where the registry cannot be reached.
    func connectedDevices(of user: UserID) async -> Set<DeviceID>?
}

/// Presence for code outside the event loops.
public protocol PresenceReader: Sendable {
    /// - Returns: nil where the registry cannot be reached.
    func presence(of users: [UserID]) async -> [UserID: Presence]?
}
