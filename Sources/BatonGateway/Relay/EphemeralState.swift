import BatonCore

/// What a connection that types or watches keeps besides. Few do, so it is apart: the others stay small.
final class EphemeralState {
    /// How many typing and watch frames the client may still send.
    var bucket = TokenBucket(
        capacity: Limits.Connection.ephemeralPerSecond, perSecond: Double(Limits.Connection.ephemeralPerSecond))
    var watching = WatchedUsers()
    var typing = TypingBeliefs()
}

@available(*, unavailable) extension EphemeralState: Sendable {}
