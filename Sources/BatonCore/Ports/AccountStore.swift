/// The durable truth of users, their devices and their refresh tokens.
///
/// Whether a handle is free and what a refresh token is worth is decided inside the transaction. Phone numbers and email
/// addresses are what users say of themselves, and nobody has checked them: several users may have the same one, and nobody is
/// found by them.
public protocol AccountStore: Sendable {
    func createUser(_ user: NewUser) async throws(AccountError) -> User
    func user(_ id: UserID) async throws(AccountError) -> User?
    func user(handle: String) async throws(AccountError) -> User?
    /// What a login is compared with. `nil` where there is no such handle.
    func credentials(handle: String) async throws(AccountError) -> Credentials?
    /// Changes the fields that are given. Unknown users are `.notFound`.
    func updateProfile(of user: UserID, _ change: ProfileChange) async throws(AccountError) -> User
    /// Exchanges a password's hash for another of the same password.
    ///
    /// - Returns: false where it is no longer the old one: the password was changed meanwhile.
    func replacePasswordHash(_ old: String, by new: String, of user: UserID) async throws(AccountError) -> Bool
    /// Exchanges a password's hash and revokes the user's other devices, both or neither.
    ///
    /// - Returns: the devices that were revoked; nil where the hash is no longer the old one, and nothing was changed.
    func changePassword(_ change: PasswordChange) async throws(AccountError) -> [DeviceID]?
    /// Remembers when users were last seen; an earlier time than the known one changes nothing.
    func recordLastSeen(_ times: [UserID: Timestamp]) async throws(AccountError)

    /// Makes a device, whose cursor is the inbox' head, and its first refresh token. Where the password was changed
    /// since it was verified: `.passwordChanged`.
    ///
    /// A user has at most `Limits.Account.devicesPerUser` devices that count: those that were used within
    /// `Limits.Store.idleDeviceDays` and have a refresh token that has not ended. With those that do not count there are
    /// at most `Limits.Account.devicesKept`. Where there is no room, devices that are not connected give way, the longest
    /// unused first: they are revoked in the same transaction. Where too few can: `.tooManyDevices`.
    ///
    /// - Parameter connected: the user's devices that are connected now; nil where that is not known, and then none gives
    ///   way.
    func createDevice(
        _ device: NewDevice, refreshToken: NewRefreshToken, connected: Set<DeviceID>?
    ) async throws(AccountError) -> CreatedDevice
    /// A user's devices that are not revoked, oldest first.
    func devices(of user: UserID) async throws(AccountError) -> [Device]
    /// Logs a device out.
    ///
    /// - Returns: false where the user has no such device, or it was revoked already.
    func revokeDevice(_ device: DeviceID, of user: UserID, at now: Timestamp) async throws(AccountError) -> Bool
    /// Whether a device is its user's. REST asks this for every authenticated request.
    func standing(of device: DeviceID, of user: UserID) async throws(AccountError) -> DeviceStanding

    /// Exchanges a refresh token for its successor.
    ///
    /// The answer may be lost, and a request may lie in a node that stands still until its client has given it up. So the
    /// same token has the same successor within `Limits.Account.refreshGraceSeconds`, however often it comes, and after
    /// that for as long as the successor was not exchanged itself. Once it was, the token was stolen or replayed: its device
    /// is revoked in the same transaction, and the outcome says so.
    ///
    /// An exchanged token ends with its successor. A retry while the successor is unused lets both end as late as a new
    /// successor would. A token that has ended is `.expired`, whatever became of it.
    func rotateRefreshToken(_ exchange: RefreshExchange) async throws(AccountError) -> RefreshRotation

    /// Where the two are one: `.sameUser`; where one of them does not exist: `.notFound`. Blocking twice is blocking
    /// once, as is unblocking.
    func block(_ other: UserID, by user: UserID) async throws(AccountError)
    func unblock(_ other: UserID, by user: UserID) async throws(AccountError)
}

extension AccountStore {
    /// The same where no device gives way.
    public func createDevice(
        _ device: NewDevice, refreshToken: NewRefreshToken
    ) async throws(AccountError) -> Device {
        try await createDevice(device, refreshToken: refreshToken, connected: nil).device
    }
}

public struct User: Hashable, Sendable {
    public let id: UserID
    /// Lower-case, unique: what people type.
    public let handle: String
    public let displayName: String
    /// E.164, or nil. Not verified, and never shown to other users.
    public let phone: String?
    /// Not verified, and never shown to other users.
    public let email: String?
    /// A line about themselves.
    public let about: String
    public let createdAt: Timestamp
    public let lastSeen: Timestamp?

    public init(
        id: UserID, handle: String, displayName: String, phone: String?, email: String?, about: String,
        createdAt: Timestamp, lastSeen: Timestamp?
    ) {
        self.id = id
        self.handle = handle
        self.displayName = displayName
        self.phone = phone
        self.email = email
        self.about = about
        self.createdAt = createdAt
        self.lastSeen = lastSeen
    }
}

public struct NewUser: Hashable, Sendable {
    public let id: UserID
    public let handle: String
    public let displayName: String
    public let passwordHash: String
    public let phone: String?
    public let email: String?
    public let createdAt: Timestamp

    public init(
        id: UserID, handle: String, displayName: String, passwordHash: String, phone: String?, email: String?,
        createdAt: Timestamp
    ) {
        self.id = id
        self.handle = handle
        self.displayName = displayName
        self.passwordHash = passwordHash
        self.phone = phone
        self.email = email
        self.createdAt = createdAt
    }
}

/// What a login is compared with.
public struct Credentials: Hashable, Sendable {
    public let user: User
    /// In its encoded form.
    public let passwordHash: String
    /// Where the account is used: the networks in which its devices logged in or refreshed last. Of the
    /// `Limits.Account.devicesKept` devices that were used last, without those that were revoked because somebody else may
    /// have had them.
    public let networks: Set<NetworkMark>

    public init(user: User, passwordHash: String, networks: Set<NetworkMark>) {
        self.user = user
        self.passwordHash = passwordHash
        self.networks = networks
    }
}

/// A network in which a device was: a keyed hash of its address, so that the store tells nobody where people were.
public struct NetworkMark: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// A new password of a user who knew the old one.
public struct PasswordChange: Hashable, Sendable {
    public let user: UserID
    /// The one on which it is changed, and which stays logged in.
    public let device: DeviceID
    public let oldHash: String
    public let newHash: String

    public init(user: UserID, device: DeviceID, oldHash: String, newHash: String) {
        self.user = user
        self.device = device
        self.oldHash = oldHash
        self.newHash = newHash
    }
}

/// The fields of a profile that change; nil leaves one as it is, an empty phone or email removes it.
public struct ProfileChange: Hashable, Sendable {
    public var displayName: String?
    public var about: String?
    public var phone: String?
    public var email: String?
    public init() {}
}

public enum AccountError: Error, Hashable, Sendable {
    case handleTaken
    case notFound
    case sameUser
    case tooManyDevices(limit: Int)
    case passwordChanged
    case store(StoreError)
}
