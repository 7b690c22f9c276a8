/// The whole cluster as one of its nodes sees it: `GET /admin/cluster`.
package struct ClusterStatus: Codable, Hashable, Sendable {
    package var answeredBy: String
    /// Milliseconds since 1970, by the clock of who answered.
    package var at: Int64
    /// Whether the registry named the nodes just now. Otherwise they are those that it named last.
    package var registryReachable: Bool
    /// By name. A dead one is here until its lease ends.
    package var nodes: [Node]
    /// Absent where Redis did not answer.
    package var redis: RedisServer?
    package var store: SharedStore
    package var problems: [Problem] = []

    package struct Node: Codable, Hashable, Sendable {
        package var node: String
        package var address: String
        /// As its lease says: `up` or `evacuating`; absent for one without a lease.
        package var lease: String?
        /// Absent where it did not answer; `problem` then says why.
        package var status: NodeStatus?
        package var problem: String?
    }

    package struct RedisServer: Codable, Hashable, Sendable {
        package var version: String
        package var uptimeSeconds: Int
        package var usedBytes: Int
        /// Zero: no bound.
        package var maximumBytes: Int
        package var clients: Int
        package var commandsPerSecond: Int
        package var evictedKeys: Int
        /// Seconds that the question took.
        package var answerSeconds: Double
    }

    package struct SharedStore: Codable, Hashable, Sendable {
        /// Events in inboxes that some device has not acknowledged, connected or not; an estimate some seconds old.
        /// Absent where the store did not answer.
        package var backlog: Int?
        /// The count stopped there: it is more.
        package var backlogIsBound: Bool
        package var fileBytes: Int
        package var walBytes: Int
        package var freeBytes: Int
        package var diskBytes: Int
    }
}
