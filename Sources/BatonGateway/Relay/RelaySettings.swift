package import BatonCore

/// What an operator may change of the relay; the defaults are `Limits`.
package struct RelaySettings: Sendable {
    package var node: NodeID
    package var incarnation: UInt64
    package var windowEvents = Limits.Connection.windowEvents
    package var windowBytes = Limits.Connection.windowBytes
    package var contentBytes = Limits.Message.contentBytes
    package var sending = SendLimits()
    package var connections = Limits.Node.connections
    package var admittedPerSecond = Limits.Node.admittedPerSecond
    package var evacuatedPerSecond = Limits.Node.evacuatedPerSecond
    /// Within which an evacuation ends, whatever the clients do.
    package var evacuationSeconds = Limits.Node.evacuationSeconds
    /// Seconds between two sweeps for hints that were missed: one in this range, anew each time.
    package var backstopSeconds = Limits.Node.backstopMinimumSeconds...Limits.Node.backstopMaximumSeconds
    package var pingSeconds = Limits.Connection.pingSeconds
    package var silenceSeconds = Limits.Connection.silenceSeconds
    package var stalledReaderSeconds = Limits.Connection.stalledReaderSeconds
    /// Moments of messages that each loop keeps for `baton trace`; zero: none.
    package var traceEvents = 0
    /// The folder of the files they are kept in, so that they survive the process; nil: in memory.
    package var traceDirectory: String?
    package var offlineDebounceSeconds = Limits.Presence.offlineDebounceSeconds
    /// Where the node can be made to die or to pause.
    package var failpoints = Failpoints.none
    #if DEBUG
        package var plantedBug: PlantedBug?
    #endif
    /// What jitter and connections' generations are made of.
    package var random = RandomSource.system

    package init(node: NodeID, incarnation: UInt64) {
        self.node = node
        self.incarnation = incarnation
    }
}
