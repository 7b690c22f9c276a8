import BatonCore
import BatonGateway
import BatonRedis
import BatonStore

/// The table of keys, in the order in which a person reads them.
extension NodeConfiguration {
    package static let keys: [ConfigurationKey] =
        nodeKeys + redisKeys + storeKeys + authenticationKeys + limitKeys + observabilityKeys

    private static let nodeKeys: [ConfigurationKey] = [
        .text(
            "node.name", \.node.name, allowed: "1 to \(NodeID.maximumLength) of a-z, 0-9 and hyphen",
            "The node's name, unique among the living nodes. Default: the host's name and the port.",
            parse: { text throws(ConfigurationValueError) in
                guard let node = NodeID(text) else { throw ConfigurationValueError("'\(text)' is not a node's name") }
                return node
            }, render: { $0?.name }),
        .plainText(
            "listen.host", \.listen.host, allowed: "an address or a host's name",
            "The address to listen on. Any other than a loopback address opens the node to a network."),
        .integer(
            "listen.port", \.listen.port, 0...65_535,
            "The port to listen on; 0 takes a free one."),
        .optionalText(
            "listen.advertise", \.listen.advertise, allowed: "host:port",
            "Where others reach this node, written into its lease. Default: the address it listens on.",
            check: checkHostAndPort),
        .list(
            "listen.trustedProxies", \.listen.trustedProxies, allowed: "addresses",
            "Addresses of the proxies whose X-Forwarded-For is believed. Nobody else's is.", check: checkNotEmpty),
        .list(
            "listen.allowedOrigins", \.listen.allowedOrigins, allowed: "origins such as https://chat.example, or *",
            "Origins whose pages may open a WebSocket. A browser's request from any other is refused.",
            check: checkOrigin),
        .optionalInteger(
            "threads.eventLoops", \.threads.eventLoops, 1...RelayNode.maximumLoops,
            "Event loops, each a thread of its own. Default: one for each core."),
    ]

    private static let redisKeys: [ConfigurationKey] = [
        .text(
            "redis.url", \.redis.url, allowed: RedisURL.allowed,
            "Where Redis is. A password belongs into the environment (BATON_REDIS_URL) rather than into a file.",
            parse: { text throws(ConfigurationValueError) in try RedisURL(checking: text) },
            render: { $0.description }),
        .optionalText(
            "redis.tlsCA", \.redis.tlsCA, allowed: "the path of a PEM file",
            "Certificates to trust for rediss:// URLs. Default: the system's.", check: checkNotEmpty),
    ]

    private static let storeKeys: [ConfigurationKey] = [
        .plainText(
            "store.path", \.store.path, allowed: "a path",
            "The SQLite file, shared by all nodes of one host. Relative to the working directory."),
        .integer(
            "store.lingerMilliseconds", \.store.lingerMilliseconds, 0...50,
            "How long a commit waits for company while messages keep coming. Saves CPU, costs latency."),
        .text(
            "store.retention", \.store.retention,
            allowed: "1 to 36500 (days), none (keep for ever), on-delivery",
            "How long messages are kept: days, for ever, or until each device has acknowledged them.",
            parse: { text throws(ConfigurationValueError) in try MessageRetention(checking: text) },
            render: { $0.text }),
        .integer("store.readers", \.store.readers, 1...64, "Threads that read from the store; one more writes."),
    ]

    private static let authenticationKeys: [ConfigurationKey] = [
        .plainText(
            "auth.keysFile", \.auth.keysFile, allowed: "a path",
            "The keys that sign access tokens, shared by all nodes. Made at the first start, readable by its owner only."
        ),
        .plainText(
            "auth.issuer", \.auth.issuer, allowed: "a text", "Who issues access tokens, written into each (`iss`)."),
        .integer(
            "auth.accessTokenMinutes", \.auth.accessTokenMinutes, 1...1_440,
            "For how long an access token is valid."),
        .integer(
            "auth.refreshTokenDays", \.auth.refreshTokenDays, 1...365,
            "For how long a device may stay away before it must log in again."),
        .integer(
            "auth.argon2.memoryKiB", \.auth.argon2.memoryKiB, 8_192...1_048_576,
            "Memory that one password hash takes."),
        .integer("auth.argon2.iterations", \.auth.argon2.iterations, 1...20, "Passes of a password hash."),
        .integer("auth.argon2.parallelism", \.auth.argon2.parallelism, 1...16, "Lanes of a password hash."),
    ]

    private static let limitKeys: [ConfigurationKey] = [
        .integer(
            "limits.connections", \.limits.connections, 1...1_000_000,
            "WebSockets of one node; needs as many file descriptors."),
        .integer(
            "limits.connectionsPerAddress", \.limits.connectionsPerAddress, 1...1_000_000,
            "WebSockets of one address, an IPv4 address or a /64 network of IPv6, at one node."),
        .integer(
            "limits.plainConnections", \.limits.plainConnections, 1...65_536,
            "Connections of one node that are no WebSockets. Those that wait give way to new ones."),
        .integer(
            "limits.plainConnectionsPerAddress", \.limits.plainConnectionsPerAddress, 1...65_536,
            "Plain connections of one address at one node."),
        .integer(
            "limits.requestSeconds", \.limits.requestSeconds, 1...3_600,
            "Seconds from the head of a plain request to its end."),
        .integer(
            "limits.admittedPerSecond", \.limits.admittedPerSecond, 1...1_000_000,
            "WebSockets admitted a second; the excess is told when to come back."),
        .integer(
            "limits.evacuatedPerSecond", \.limits.evacuatedPerSecond, 1...1_000_000,
            "Connections told to go elsewhere a second while the node stops."),
        .integer(
            "limits.evacuationSeconds", \.limits.evacuationSeconds, 1...3_600,
            "Seconds within which a node has stopped, whatever its clients do."),
        .integer(
            "limits.messageBytes", \.limits.messageBytes, 1_024...16_777_216,
            "Bytes of one WebSocket message of a client. A body of REST has at most \(Limits.Frame.requestBodyBytes), whatever this is."
        ),
        .integer(
            "limits.windowEvents", \.limits.windowEvents, 1...65_536,
            "Events that a connection may have unacknowledged."),
        .integer(
            "limits.windowBytes", \.limits.windowBytes, 65_536...67_108_864, "Bytes of those events."),
        .integer(
            "limits.messagesPerUser", \.limits.sending.messagesPerMinute, 1...1_000_000_000,
            "Messages that one user may send in a minute, with all devices through all nodes."),
        .integer(
            "limits.messageBytesPerUser", \.limits.sending.bytesPerMinute, 1_048_576...1_099_511_627_776,
            "Bytes of these messages in a minute."),
        .integer(
            "limits.conversationsPerUser", \.limits.sending.conversationsPerHour, 1...1_000_000_000,
            "Conversations that one user may begin in an hour."),
        .integer(
            "limits.strangerMessagesPerUser", \.limits.sending.strangerMessagesPerHour, 1...1_000_000_000,
            "Messages that one user may send in an hour into conversations in which nobody else has written."),
        .integer(
            "limits.registrationsPerAddress", \.limits.registrationsPerAddress, 1...1_000_000_000,
            "Accounts that may be registered from one address in an hour."),
        .integer(
            "limits.loginsPerAddress", \.limits.loginsPerAddress, 1...1_000_000_000,
            "Failed logins from one address in an hour."),
        .integer(
            "limits.loginsPerAccount", \.limits.loginsPerAccount, 1...1_000_000_000,
            "Failed logins to one account in an hour: from all addresses where it is not used, and from each where it is."
        ),
    ]

    private static let observabilityKeys: [ConfigurationKey] = [
        .choice("log.level", \.log.level, "The least level that is logged, to standard error."),
        .choice("log.format", \.log.format, "Lines for people (text) or one JSON object a line (json)."),
        .boolean("metrics.enabled", \.metrics.enabled, "Serves /metrics for Prometheus."),
        .boolean(
            "canary.enabled", \.canary.enabled,
            "Sends messages of the node's own, by whose arrival it knows that it delivers. The same on all nodes."),
        .integer("canary.periodSeconds", \.canary.periodSeconds, 1...60, "Seconds between two rounds of them."),
        .integer(
            "canary.boundSeconds", \.canary.boundSeconds, 2...600,
            "Seconds without a delivery after which the node is not ready; at least two periods. Below 20, nodes that "
                + "died are named as out of reach until their lease ends."),
        .boolean(
            "admin.enabled", \.admin.enabled,
            "Serves /admin: the cluster as a page and as JSON, for who has the token of admin.tokenFile."),
        .optionalText(
            "admin.tokenFile", \.admin.tokenFile, allowed: "a path",
            "The token that /admin asks for, shared by all nodes. Made at the first start, readable by its owner only. "
                + "Default: \(AdminTokenFile.defaultName) beside auth.keysFile.", check: checkNotEmpty),
        .integer(
            "trace.events", \.trace.events, 0...Limits.Trace.maximumEvents,
            "Moments of messages that each event loop keeps for `baton trace`, 64 bytes each; 0: none."),
        .optionalText(
            "trace.directory", \.trace.directory, allowed: "a path",
            "Where each event loop keeps them in a file, so that they survive the node. Default: beside the store.",
            check: checkNotEmpty),
        .boolean("echo", \.echo, "Test only: mounts an echo endpoint without authentication at /v1/echo."),
        .list(
            "failpoints", \.failpoints, allowed: FailpointRule.allowed,
            "Test only: where the node kills itself or pauses (\(Failpoint.list)).",
            check: { item throws(ConfigurationValueError) in _ = try FailpointRule(checking: item) }),
    ]
}

extension ConfigurationKey {
    /// A text that must not be empty.
    fileprivate static func plainText(
        _ name: String, _ field: Field<String>, allowed: String, _ documentation: String
    ) -> Self {
        .text(
            name, field, allowed: allowed, documentation,
            parse: { text throws(ConfigurationValueError) in
                try checkNotEmpty(text)
                return text
            }, render: { $0 })
    }

    fileprivate static func optionalText(
        _ name: String, _ field: Field<String?>, allowed: String, _ documentation: String,
        check: @escaping @Sendable (String) throws(ConfigurationValueError) -> Void
    ) -> Self {
        .text(
            name, field, allowed: allowed, documentation,
            parse: { text throws(ConfigurationValueError) in
                try check(text)
                return text
            }, render: { $0 })
    }
}

extension RedisURL {
    static let allowed = "redis[s]://[[user]:password@]host[:port][/database] or unix:///path[?db=number]"

    /// The error names no part of the text, since any part may be the password.
    init(checking text: String) throws(ConfigurationValueError) {
        do throws(RedisURLError) {
            self = try RedisURL(text)
        } catch {
            throw ConfigurationValueError("\(error)")
        }
    }
}

extension MessageRetention {
    private static let allowedDays = 1...36_500

    fileprivate init(checking text: String) throws(ConfigurationValueError) {
        switch text {
        case "none": self = .unlimited
        case "on-delivery": self = .onDelivery
        default:
            guard let days = Int(text), Self.allowedDays.contains(days) else {
                throw ConfigurationValueError("'\(text)' is not a retention")
            }
            self = .days(days)
        }
    }

    fileprivate var text: String {
        switch self {
        case .days(let days): String(days)
        case .unlimited: "none"
        case .onDelivery: "on-delivery"
        }
    }
}

@Sendable private func checkNotEmpty(_ text: String) throws(ConfigurationValueError) {
    if text.isEmpty { throw ConfigurationValueError("is empty") }
}

@Sendable private func checkHostAndPort(_ text: String) throws(ConfigurationValueError) {
    guard HostAndPort.isOne(text) else { throw ConfigurationValueError("'\(text)' is not host:port") }
}

@Sendable private func checkOrigin(_ text: String) throws(ConfigurationValueError) {
    if text == "*" { return }
    let isOrigin = ["http://", "https://"].contains { scheme in
        text.hasPrefix(scheme) && text.count > scheme.count && !text.dropFirst(scheme.count).contains("/")
    }
    guard isOrigin else { throw ConfigurationValueError("'\(text)' is not an origin") }
}
