private let second: Int64 = 1_000_000_000

/// How long things may take and how much may be left, for the invariants that have a bound. Times are nanoseconds of
/// the histories' clock: a simulation's are virtual ones.
package struct HistoryBounds: Sendable {
    /// From a silent end of a user's last connection until those who watch are told: the TTL of a session.
    package var presenceAfterSilence = 75 * second
    /// From an orderly end of a user's last connection until those who watch are told: the grace for a reconnect, and
    /// some time for a busy machine.
    package var presenceAfterEnd = 20 * second
    /// From a user's connection until those who watch are told.
    package var presenceAfterStart = 10 * second
    /// After a fault that is felt by presence (Redis, a hanging node) was mended nothing is said of it for so long.
    package var presenceAfterFault = 75 * second
    /// From a block until no typing is shown any more: for so long a node that did not hear of the block believes what it
    /// knew, and for so long a notice may be on its way.
    package var typingAfterBlock = 65 * second
    /// From a connection's welcome until an older one of the same device is ended.
    package var displacement = 10 * second
    /// From where nothing was broken any more until a message is accepted, and from its acceptance until it is applied.
    package var recovery = 30 * second
    /// A node whose devices got nothing for so long, though there was something for them, does not call itself ready.
    package var readiness = 30 * second
    /// Samples that are wanted of a node in that time, to say so.
    package var readinessSamples = 3

    /// What may be left in the end beyond what was there before the load: of connections and of sessions nothing, ...
    package var connections = 0
    package var sessions = 0
    /// ... of Redis' channels those that come and go with probes, ...
    package var channels = 4
    /// ... of a node's descriptors what a store and idle HTTP connections keep, ...
    package var descriptorsPerNode = 64
    /// ... and of a node's memory what allocators and caches keep: half of what it was, and this.
    package var residentGrowth = 0.5
    package var residentKiBPerNode = 96 * 1024

    package init() {}
}
