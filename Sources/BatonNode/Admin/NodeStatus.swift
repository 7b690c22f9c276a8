/// What one node tells about itself: `GET /admin/status`.
///
/// Counters are totals since the node's start, beside a time of its monotonic clock: who reads twice divides the
/// differences, and needs neither agree with others about an interval nor with the node about the time of day.
package struct NodeStatus: Codable, Hashable, Sendable {
    package var node: String
    /// Another one: the node was started anew, and its totals too.
    package var incarnation: String
    package var version: String
    package var pid: Int32
    package var ready: Bool
    package var degraded: Bool
    /// As in `/health/ready`.
    package var reasons: [String]
    /// The node's monotonic clock when it read the rest.
    package var monotonicMilliseconds: Int64
    package var uptimeSeconds: Double
    package var connections: Connections
    package var messages: Messages
    package var hints: Hints
    package var slowReaders: SlowReaders
    package var store: Store
    package var redis: Redis
    package var process: Process
    package var canary: Canary

    package struct Connections: Codable, Hashable, Sendable {
        package var open: Int
        package var limit: Int
        package var opened: Int64
        package var closed: Int64
        package var refused: Int64
    }

    package struct Messages: Codable, Hashable, Sendable {
        package var accepted: Int64
        package var repeated: Int64
        package var rejected: Int64
        package var deliveredByHint: Int64
        package var deliveredByDrain: Int64
        package var acknowledged: Int64
        /// Events of this node's connections that they have not acknowledged: now, not a total.
        package var unacknowledged: Int64
        /// From a send to its `accepted`, in seconds.
        package var accept: Distribution
    }

    package struct Hints: Codable, Hashable, Sendable {
        package var published: Int64
        package var received: Int64
        package var missed: Int64
        package var gaps: Int64
        package var stale: Int64
        package var publishErrors: Int64
        package var drains: Int64
        package var drainsFailed: Int64
        package var windowFull: Int64
    }

    package struct SlowReaders: Codable, Hashable, Sendable {
        package var count: Int
        /// Some of them, the slowest first.
        package var slowest: [SlowReader]
    }

    package struct SlowReader: Codable, Hashable, Sendable {
        package var user: String
        package var device: String
        package var seconds: Double
        /// Events that it was not sent yet.
        package var waiting: Int64
    }

    package struct Store: Codable, Hashable, Sendable {
        /// Why the last commit failed: `disk_full`, `unavailable`; absent where it did not.
        package var failure: String?
        package var errors: Int64
        package var queued: Int64
        package var queueLimit: Int
        package var walPages: Int64
        /// Seconds of a transaction, synced.
        package var commit: Distribution
        /// Operations of a transaction.
        package var batch: Distribution
        /// Seconds of waiting for the other processes of the host.
        package var turnstile: Distribution
    }

    package struct Redis: Codable, Hashable, Sendable {
        /// Event loops, and those of them whose connections are up.
        package var loops: Int
        package var connected: Int
        package var reconnects: Int64
        package var errors: Int64
        /// Seconds from publishing a probe to hearing it.
        package var probe: Distribution
    }

    /// How the messages fare that nodes send to themselves and to each other.
    package struct Canary: Codable, Hashable, Sendable {
        /// Counters and gauges of canaries, as a line of `/metrics` names them.
        package var samples: [String: Double]
        /// Seconds from one canary to another.
        package var seconds: Distribution
    }

    package struct Process: Codable, Hashable, Sendable {
        package var residentBytes: Int
        package var cpuSeconds: Double
        package var descriptors: Int
        package var descriptorLimit: Int
        /// Seconds by which event loops ran timers late.
        package var loopLag: Distribution
    }
}
