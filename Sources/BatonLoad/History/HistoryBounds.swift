/// How long things may take and how much may be left, for the invariants that have a bound. Times are nanoseconds of
/// the histories' clock: a simulation's are virtual ones.
package struct HistoryBounds: Sendable {
    /// From a silent end of a user's last connection until those who watch are told: the TTL of a session.
    package var presenceAfterSilence: Int64 = 75_000_000_000
    /// From an orderly end of a user's last connection until those who watch are told: the grace for a reconnect, and
    /// some time for a busy machine.
    package var presenceAfterEnd: Int64 = 20_000_000_000
    /// From a user's connection until those who watch are told.
    package var presenceAfterStart: Int64 = 10_000_000_000
    /// From a connection's welcome until an older one of the same device is ended.
    package var displacement: Int64 = 10_000_000_000
    /// From a message's sending, after a fault was mended, until it is applied.
    package var recovery: Int64 = 30_000_000_000
    /// A node whose devices got nothing for so long, though there was something for them, does not call itself ready.
    package var readiness: Int64 = 45_000_000_000

    package init() {}
}
