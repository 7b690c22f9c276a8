public struct Device: Hashable, Sendable {
    public let id: DeviceID
    public let user: UserID
    public let name: String
    public let platform: String
    public let createdAt: Timestamp
    /// When it last exchanged its refresh token, connected, or acknowledged something.
    public let lastUsedAt: Timestamp

    public init(
        id: DeviceID, user: UserID, name: String, platform: String, createdAt: Timestamp, lastUsedAt: Timestamp
    ) {
        self.id = id
        self.user = user
        self.name = name
        self.platform = platform
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
    }
}

public struct NewDevice: Hashable, Sendable {
    public let id: DeviceID
    public let user: UserID
    public let name: String
    public let platform: String
    public let createdAt: Timestamp
    /// Of the password that was given for it; nil where none was asked for.
    public let passwordHash: String?
    /// Where it logs in; nil where that is not known.
    public let network: NetworkMark?

    public init(
        id: DeviceID, user: UserID, name: String, platform: String, createdAt: Timestamp, passwordHash: String? = nil,
        network: NetworkMark? = nil
    ) {
        self.id = id
        self.user = user
        self.name = name
        self.platform = platform
        self.createdAt = createdAt
        self.passwordHash = passwordHash
        self.network = network
    }
}

/// A new device, and those that were revoked to make room for it.
public struct CreatedDevice: Hashable, Sendable {
    public let device: Device
    public let replaced: [DeviceID]

    public init(device: Device, replaced: [DeviceID]) {
        self.device = device
        self.replaced = replaced
    }
}

/// Whether a device is its user's.
public enum DeviceStanding: Hashable, Sendable {
    case active
    case revoked(RevocationReason)
    /// The user never had such a device.
    case unknown
}

/// Why a device was revoked: what it is told when it comes back. The numbers are the store's.
public enum RevocationReason: Int64, CaseIterable, Sendable {
    /// The user logged it out.
    case loggedOut = 0
    /// It made room for a new login.
    case replaced = 1
    /// One of its refresh tokens came after the token's successor had been exchanged.
    case tokenReused = 2
    /// The password was changed on another device.
    case passwordChanged = 3
}

/// A refresh token as the store knows it: hashed, never the token itself.
public struct NewRefreshToken: Hashable, Sendable {
    /// SHA-256 of the token, 32 bytes.
    public let hash: [UInt8]
    public let expiresAt: Timestamp

    public init(hash: [UInt8], expiresAt: Timestamp) {
        self.hash = hash
        self.expiresAt = expiresAt
    }
}

/// A refresh token that came, and what may follow it.
public struct RefreshExchange: Hashable, Sendable {
    public let hash: [UInt8]
    /// The hashes of its successors by each key that the node knows, at least one. The first is by the key in force: it is
    /// stored where the token has no successor yet. Another node may have stored one of the others.
    public let successors: [[UInt8]]
    /// When a successor that is stored now ends.
    public let expiresAt: Timestamp
    /// Where it came from; nil where that is not known.
    public let network: NetworkMark?
    /// When the token came.
    public let at: Timestamp

    public init(
        hash: [UInt8], successors: [[UInt8]], expiresAt: Timestamp, network: NetworkMark? = nil, at: Timestamp
    ) {
        self.hash = hash
        self.successors = successors
        self.expiresAt = expiresAt
        self.network = network
        self.at = at
    }
}

public enum RefreshRotation: Hashable, Sendable {
    /// - Parameter successor: one of those that were given.
    case rotated(user: UserID, device: DeviceID, successor: [UInt8])
    /// The token's successor was exchanged before; its device is revoked now.
    case reused(user: UserID, device: DeviceID)
    /// The device was revoked before. Only the newest token of a revoked device is known.
    case revoked(RevocationReason)
    /// No such token. Also a token within the grace period whose successor was exchanged, and
    /// is none of those that were given: nothing is revoked then.
    case unknown
    case expired
}
