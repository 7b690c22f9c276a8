/// What one life of a node knows about a message.
package struct TraceAnswer: Codable, Sendable {
    package var node: String
    package var incarnation: UInt64
    /// Whether the node itself answered; otherwise this is its file.
    package var isLive: Bool
    /// Microseconds since 1970 by the node's clock: when it answered, or last knew the time.
    package var at: Int64
    /// Before this, records were overwritten, or the node had not started.
    package var since: Int64
    /// There was more than an answer holds.
    package var isTruncated = false
    package var entries: [TraceEntry] = []
    /// The recipients' connections as they stand now.
    package var connections: [TraceConnection] = []

    package init(node: String, incarnation: UInt64, isLive: Bool, at: Int64, since: Int64) {
        self.node = node
        self.incarnation = incarnation
        self.isLive = isLive
        self.at = at
        self.since = since
    }
}

/// How a connection stands to its inbox now: what tells why something has not been written, or not acknowledged yet.
package struct TraceConnection: Codable, Hashable, Sendable {
    package var user: String
    package var device: String
    /// `awaiting_hello`, `opening`, `open` or `closing`.
    package var phase: String
    package var sent: UInt64 = 0
    package var acknowledged: UInt64 = 0
    /// The last event that the connection was told of.
    package var head: UInt64 = 0
    package var unacknowledged = 0
    /// Events wait for the device's window or socket.
    package var isBlocked = false
    package var isWritable = true
    /// Since the device acknowledged something, or nothing waited for it.
    package var withoutProgressMilliseconds: Int64 = 0
}
