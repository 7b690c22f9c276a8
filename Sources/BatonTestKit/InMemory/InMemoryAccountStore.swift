package import BatonCore
import Synchronization

/// `AccountStore` as plain dictionaries behind one lock: each call is a transaction. Searches are linear, which is
/// slow and obviously correct.
package final class InMemoryAccountStore: AccountStore {
    struct Account {
        var user: User
        var passwordHash: String
        var blocked: Set<UserID> = []
    }

    struct Installation {
        var device: Device
        var revoked: RevocationReason?
        var network: NetworkMark?
    }

    struct Token {
        let device: DeviceID
        var expiresAt: Timestamp
        var exchangedAt: Timestamp?
        var successor: [UInt8]?

        mutating func end(notBefore end: Timestamp) { expiresAt = max(expiresAt, end) }
    }

    struct State {
        var accounts: [UserID: Account] = [:]
        var installations: [DeviceID: Installation] = [:]
        var tokens: [[UInt8]: Token] = [:]
        var failure: StoreError?
    }

    private let state = Mutex(State())

    package init() {}

    /// Lets all calls fail from now on, as when the disk is gone; nil ends that.
    package func fail(with failure: StoreError?) { state.withLock { $0.failure = failure } }

    // MARK: Users

    package func createUser(_ user: NewUser) async throws(AccountError) -> User {
        try transaction { state throws(AccountError) in
            guard !state.accounts.values.contains(where: { $0.user.handle == user.handle }) else {
                throw .handleTaken
            }
            let created = User(
                id: user.id, handle: user.handle, displayName: user.displayName, phone: user.phone, email: user.email,
                about: "", createdAt: user.createdAt, lastSeen: nil)
            state.accounts[user.id] = Account(user: created, passwordHash: user.passwordHash)
            return created
        }
    }

    package func user(_ id: UserID) async throws(AccountError) -> User? {
        try transaction { state throws(AccountError) in state.accounts[id]?.user }
    }

    package func user(handle: String) async throws(AccountError) -> User? {
        try await credentials(handle: handle)?.user
    }

    package func credentials(handle: String) async throws(AccountError) -> Credentials? {
        try transaction { state throws(AccountError) in
            guard let account = state.accounts.values.first(where: { $0.user.handle == handle }) else { return nil }
            return Credentials(
                user: account.user, passwordHash: account.passwordHash, networks: state.networks(of: account.user.id))
        }
    }

    package func updateProfile(of id: UserID, _ change: ProfileChange) async throws(AccountError) -> User {
        try transaction { state throws(AccountError) in
            guard let old = state.accounts[id]?.user else { throw .notFound }
            func changed(_ value: String?, from old: String?) -> String? {
                guard let value else { return old }
                return value.isEmpty ? nil : value
            }
            let phone = changed(change.phone, from: old.phone)
            let email = changed(change.email, from: old.email)
            let new = User(
                id: id, handle: old.handle, displayName: change.displayName ?? old.displayName, phone: phone,
                email: email, about: change.about ?? old.about, createdAt: old.createdAt, lastSeen: old.lastSeen)
            state.accounts[id]?.user = new
            return new
        }
    }

    package func replacePasswordHash(
        _ old: String, by new: String, of user: UserID
    ) async throws(AccountError) -> Bool {
        try transaction { state throws(AccountError) in state.replacePasswordHash(old, by: new, of: user) }
    }

    package func changePassword(_ change: PasswordChange) async throws(AccountError) -> [DeviceID]? {
        try transaction { state throws(AccountError) in
            guard state.replacePasswordHash(change.oldHash, by: change.newHash, of: change.user) else { return nil }
            let others = state.activeDevices(of: change.user).map(\.id).filter { $0 != change.device }
            for device in others { state.revoke(device, because: .passwordChanged) }
            return others
        }
    }

    package func recordLastSeen(_ times: [UserID: Timestamp]) async throws(AccountError) {
        try transaction { state throws(AccountError) in
            for (id, time) in times {
                guard let old = state.accounts[id]?.user, old.lastSeen.map({ $0 < time }) ?? true else { continue }
                state.accounts[id]?.user = User(
                    id: id, handle: old.handle, displayName: old.displayName, phone: old.phone, email: old.email,
                    about: old.about, createdAt: old.createdAt, lastSeen: time)
            }
        }
    }

    // MARK: Devices

    package func createDevice(
        _ new: NewDevice, refreshToken: NewRefreshToken, connected: Set<DeviceID>?
    ) async throws(AccountError) -> CreatedDevice {
        try transaction { state throws(AccountError) in
            guard let account = state.accounts[new.user] else { throw .notFound }
            if let given = new.passwordHash, given != account.passwordHash { throw .passwordChanged }
            let replaced = state.makeRoom(of: new.user, at: new.createdAt, connected: connected)
            guard let replaced else { throw .tooManyDevices(limit: Limits.Account.devicesPerUser) }
            let device = Device(
                id: new.id, user: new.user, name: new.name, platform: new.platform, createdAt: new.createdAt,
                lastUsedAt: new.createdAt)
            state.installations[new.id] = Installation(device: device, network: new.network)
            state.tokens[refreshToken.hash] = Token(device: new.id, expiresAt: refreshToken.expiresAt)
            return CreatedDevice(device: device, replaced: replaced)
        }
    }

    package func devices(of user: UserID) async throws(AccountError) -> [Device] {
        try transaction { state throws(AccountError) in
            state.activeDevices(of: user).sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
        }
    }

    package func revokeDevice(
        _ device: DeviceID, of user: UserID, at now: Timestamp
    ) async throws(AccountError) -> Bool {
        try transaction { state throws(AccountError) in
            guard state.standing(of: device, of: user) == .active else { return false }
            state.revoke(device, because: .loggedOut)
            return true
        }
    }

    package func standing(of device: DeviceID, of user: UserID) async throws(AccountError) -> DeviceStanding {
        try transaction { state throws(AccountError) in state.standing(of: device, of: user) }
    }

    package func rotateRefreshToken(_ exchange: RefreshExchange) async throws(AccountError) -> RefreshRotation {
        try transaction { state throws(AccountError) in
            guard let token = state.tokens[exchange.hash], let installation = state.installations[token.device] else {
                return .unknown
            }
            guard exchange.at < token.expiresAt else { return .expired }
            if let reason = installation.revoked { return .revoked(reason) }
            let old = installation.device
            let successor: [UInt8]
            switch state.successor(of: token, exchange) {
            case .given(let hash): successor = hash
            case .unknown: return .unknown
            case .stolen:
                state.revoke(old.id, because: .tokenReused)
                return .reused(user: old.user, device: old.id)
            }
            state.tokens = state.tokens.filter { $1.device != old.id || $1.expiresAt > exchange.at }
            if let network = exchange.network { state.installations[old.id]?.network = network }
            state.installations[old.id]?.device = Device(
                id: old.id, user: old.user, name: old.name, platform: old.platform, createdAt: old.createdAt,
                lastUsedAt: exchange.at)
            return .rotated(user: old.user, device: old.id, successor: successor)
        }
    }

    // MARK: Blocks

    package func block(_ other: UserID, by user: UserID) async throws(AccountError) {
        try transaction { state throws(AccountError) in
            try state.checkPair(user, other)
            state.accounts[user]?.blocked.insert(other)
        }
    }

    package func unblock(_ other: UserID, by user: UserID) async throws(AccountError) {
        try transaction { state throws(AccountError) in
            try state.checkPair(user, other)
            state.accounts[user]?.blocked.remove(other)
        }
    }

    /// Whether one of the two blocked the other.
    func areBlocked(_ one: UserID, _ other: UserID) -> Bool {
        state.withLock { state in
            state.accounts[one]?.blocked.contains(other) == true
                || state.accounts[other]?.blocked.contains(one) == true
        }
    }

    /// What conversations show of a user.
    func names(of user: UserID) -> (handle: String, displayName: String)? {
        state.withLock { $0.accounts[user].map { ($0.user.handle, $0.user.displayName) } }
    }

    private func transaction<Result: Sendable>(
        _ body: (inout sending State) throws(AccountError) -> sending Result
    ) throws(AccountError) -> Result {
        try state.withLock { state throws(AccountError) in
            if let failure = state.failure { throw .store(failure) }
            return try body(&state)
        }
    }
}
