package import BatonCore
package import BatonProtocol

/// What the API works with: the ports, and the two things that it makes itself.
package struct APIDependencies: Sendable {
    package let accounts: any AccountStore
    package let conversations: any ConversationStore
    package let messages: any MessageSubmitter
    package let limiter: any RateLimiter
    package let revocations: any RevocationAnnouncer
    package let acquaintances: any AcquaintanceAnnouncer
    package let presence: any PresenceReader
    package let sessions: any SessionReader
    package let clock: any CivilClock
    package let tokens: TokenAuthority
    package let keys: ClusterKeys
    package let passwords: PasswordHasher
    /// For how long a device may stay away before it must log in again.
    package var refreshTokenDays = Limits.Account.refreshTokenDays
    /// Whether the node stood still a moment ago: what it reads then may have been given up by its client.
    package var stoodStill: @Sendable () -> Bool = { false }
    /// Told of each credential that is refused, for whoever counts them.
    package var onRefused: @Sendable (RefusedCredential) -> Void = { _ in }

    package init(
        accounts: any AccountStore, conversations: any ConversationStore, messages: any MessageSubmitter,
        limiter: any RateLimiter,
        revocations: any RevocationAnnouncer, acquaintances: any AcquaintanceAnnouncer, presence: any PresenceReader,
        sessions: any SessionReader, clock: any CivilClock,
        tokens: TokenAuthority, keys: ClusterKeys, passwords: PasswordHasher
    ) {
        self.accounts = accounts
        self.conversations = conversations
        self.messages = messages
        self.limiter = limiter
        self.revocations = revocations
        self.acquaintances = acquaintances
        self.presence = presence
        self.sessions = sessions
        self.clock = clock
        self.tokens = tokens
        self.keys = keys
        self.passwords = passwords
    }
}

/// What an operator may change.
package struct APISettings: Hashable, Sendable {
    package var rateLimits = RateLimits()

    package init() {}
}
