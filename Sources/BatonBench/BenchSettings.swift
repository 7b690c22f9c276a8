package import BatonClient

/// What `baton bench` is asked to do.
package struct BenchSettings: Sendable {
    /// Which workload is driven.
    package enum Workload: Hashable, Sendable {
        /// Each sender keeps so many messages unaccepted.
        case window(Int)
        /// So many messages a second in all, whatever the answers.
        case rate(Int)
        /// So many connections that only stay.
        case idle(Int)
        /// So many messages stored for each absent user; then all come at once.
        case offline(perUser: Int, window: Int)
    }

    /// The nodes' own addresses: the two of a pair are on different ones, where there is more than one.
    package var nodes: [RelayAddress]
    package var workload: Workload
    package var pairs = 200
    /// The measured time, after the warm-up.
    package var seconds = 15
    package var warmupSeconds = 2
    package var threads = 1
    /// The users' handles begin like this; the same prefix uses the same users again.
    package var prefix = "bench"
    package var password = "correct horse battery"
    /// Processes to watch beside those that the nodes tell, by name.
    package var processes: [String: Int32] = [:]
    /// Where Redis is asked for its memory.
    package var redis: RedisPlace?

    package init(nodes: [RelayAddress], workload: Workload) {
        self.nodes = nodes
        self.workload = workload
    }
}

/// Why a measurement could not be made.
package struct BenchError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
