import BatonCore
import BatonProtocol

/// How often people may try what costs much or could be abused. The buckets are shared by all nodes.
///
/// Those of logins and registrations are what a node's configuration says where nobody set it.
///
/// Addresses are IPv4 addresses, or the /64 networks of IPv6, whose owner has all of them.
package struct RateLimits: Hashable, Sendable {
    package struct Rate: Hashable, Sendable {
        /// At once.
        package var capacity: Int
        /// Then one after each so many seconds.
        package var secondsPerToken: Double

        package init(capacity: Int, secondsPerToken: Double) {
            self.capacity = capacity
            self.secondsPerToken = secondsPerToken
        }
    }

    /// Failed logins to one account, whether there is such an account or not: passwords are guessed one by one. One bucket
    /// for each address where the account is used, and one for all others: strangers lock nobody out who is at home.
    package var loginPerAccount = Rate(capacity: 20, secondsPerToken: 180)
    /// Failed logins from one address: one password is tried with many accounts.
    package var loginPerAddress = Rate(capacity: 120, secondsPerToken: 30)
    /// Logins of one user, with the right password: each is a device, and costs a hash.
    package var loginPerUser = Rate(capacity: 60, secondsPerToken: 60)
    /// New users from one address.
    package var registrationPerAddress = Rate(capacity: 60, secondsPerToken: 60)
    /// Refreshes from one address. A device needs one in 15 minutes; a whole office may share the address.
    package var refreshPerAddress = Rate(capacity: 120, secondsPerToken: 0.25)
    /// Refreshes with one and the same token, which is only good for one.
    package var refreshPerToken = Rate(capacity: 5, secondsPerToken: 60)
    /// Changes of one user's password, whose old one could be guessed there too.
    package var passwordChangePerUser = Rate(capacity: 5, secondsPerToken: 60)
    /// Changes of one user's phone number or email address, which nobody checks: five a day.
    package var contactChangePerUser = Rate(capacity: 5, secondsPerToken: 17_280)
    /// Profiles that one user looks at: who wants them all is no friend of theirs.
    package var lookupPerUser = Rate(capacity: 120, secondsPerToken: 0.5)

    package init() {}
}

/// Takes tokens from the buckets, whose names are here and nowhere else.
struct RateGate: Sendable {
    let limiter: any RateLimiter
    let limits: RateLimits

    /// - Returns: what to give back where the login does not fail.
    func login(from address: String?) async throws(APIError) -> RateLimitBucket {
        let bucket = Self.bucket(ClientNetwork.name(of: address), "login_address", limits.loginPerAddress)
        try await take(from: bucket)
        return bucket
    }

    /// - Parameter home: the address, where the account is used there.
    /// - Returns: what to give back where the login does not fail.
    func login(to handle: String, home: String?) async throws(APIError) -> RateLimitBucket {
        let bucket =
            home.map { Self.bucket("\(handle)@\($0)", "login_home", limits.loginPerAccount) }
            ?? Self.bucket(handle, "login", limits.loginPerAccount)
        try await take(from: bucket)
        return bucket
    }

    func login(of user: UserID) async throws(APIError) {
        try await pass(user.description, "login_user", limits.loginPerUser)
    }

    func giveBack(_ buckets: [RateLimitBucket]) async {
        for bucket in buckets { await limiter.giveBack(1, to: bucket) }
    }

    func registration(from address: String?) async throws(APIError) {
        try await pass(address: address, "register", limits.registrationPerAddress)
    }

    func refresh(from address: String?) async throws(APIError) {
        try await pass(address: address, "refresh_address", limits.refreshPerAddress)
    }

    func refresh(with token: RefreshToken) async throws(APIError) {
        // Not the token itself: the names of buckets can be read in Redis.
        try await pass(Base64.url(Array(token.hash.prefix(12))), "refresh", limits.refreshPerToken)
    }

    func passwordChange(of user: UserID) async throws(APIError) {
        try await pass(user.description, "password", limits.passwordChangePerUser)
    }

    func contactChange(of user: UserID) async throws(APIError) {
        try await pass(user.description, "contact", limits.contactChangePerUser)
    }

    func lookup(by user: UserID) async throws(APIError) {
        try await pass(user.description, "lookup", limits.lookupPerUser)
    }

    private func pass(address: String?, _ what: String, _ rate: RateLimits.Rate) async throws(APIError) {
        try await pass(ClientNetwork.name(of: address), what, rate)
    }

    private func pass(_ who: String, _ what: String, _ rate: RateLimits.Rate) async throws(APIError) {
        try await take(from: Self.bucket(who, what, rate))
    }

    private static func bucket(_ who: String, _ what: String, _ rate: RateLimits.Rate) -> RateLimitBucket {
        RateLimitBucket(who: who, what: what, capacity: rate.capacity, secondsPerToken: rate.secondsPerToken)
    }

    private func take(from bucket: RateLimitBucket) async throws(APIError) {
        switch await limiter.take(1, from: bucket) {
        case .allowed: return
        case .refused(let milliseconds):
            throw APIError(
                .rateLimited, "too many attempts; try again later", retryAfterMilliseconds: max(1, milliseconds))
        }
    }
}
