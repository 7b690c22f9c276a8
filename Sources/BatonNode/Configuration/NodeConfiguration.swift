package import BatonCore
package import BatonRedis
package import BatonStore

/// What one node runs with. The initial values are the defaults; `NodeConfiguration+Keys.swift` says what each means
/// and what is allowed, `NodeConfiguration+Load.swift` where the values come from.
package struct NodeConfiguration: Sendable, Equatable {
    package var node = Node()
    package var listen = Listen()
    package var redis = Redis()
    package var store = Store()
    package var threads = Threads()
    package var auth = Authentication()
    package var limits = OperatorLimits()
    package var log = Log()
    package var metrics = Metrics()
    package var canary = Canary()
    package var admin = Admin()
    package var trace = Trace()
    /// Mounts a test-only echo endpoint on the gateway's own handlers.
    package var echo = false
    /// Test only: where the node is to die or to pause, one `FailpointRule` each.
    package var failpoints: [String] = []
    #if DEBUG
        package var plantedBug: PlantedBug?
    #endif

    package init() {}

    package struct Node: Sendable, Equatable {
        /// nil: derived from the host's name and the port; `nodeID` answers.
        package var name: NodeID?
    }

    package struct Listen: Sendable, Equatable {
        /// The loopback address: a node is open to a network only where the operator says so.
        package var host = "127.0.0.1"
        package var port = 8080
        /// `host:port` that others reach this node by; nil: `host` and the bound port.
        package var advertise: String?
        package var trustedProxies: [String] = []
        package var allowedOrigins: [String] = []
    }

    package struct Redis: Sendable, Equatable {
        package var url = RedisURL(host: "127.0.0.1", port: RedisURL.defaultPort)
        package var tlsCA: String?
    }

    package struct Store: Sendable, Equatable {
        package var path = "baton.sqlite"
        package var lingerMilliseconds = 0
        package var retention = MessageRetention.days(30)
        package var readers = 2
    }

    package struct Threads: Sendable, Equatable {
        /// nil: one for each core.
        package var eventLoops: Int?
    }

    package struct Authentication: Sendable, Equatable {
        package var keysFile = "baton-keys.json"
        package var issuer = "baton"
        package var accessTokenMinutes = Limits.Account.accessTokenMinutes
        package var refreshTokenDays = Limits.Account.refreshTokenDays
        package var argon2 = Argon2()
    }

    package struct Argon2: Sendable, Equatable {
        package var memoryKiB = 19_456
        package var iterations = 2
        package var parallelism = 1
    }

    /// Those bounds of `Limits` that an operator may change.
    package struct OperatorLimits: Sendable, Equatable {
        package var connections = Limits.Node.connections
        package var connectionsPerAddress = Limits.Node.connectionsPerAddress
        package var plainConnections = Limits.Node.plainConnections
        package var plainConnectionsPerAddress = Limits.Node.plainConnectionsPerAddress
        package var requestSeconds = Int(Limits.Connection.requestSeconds)
        package var admittedPerSecond = Limits.Node.admittedPerSecond
        package var evacuatedPerSecond = Limits.Node.evacuatedPerSecond
        package var evacuationSeconds = Int(Limits.Node.evacuationSeconds)
        package var messageBytes = Limits.Frame.messageBytes
        package var windowEvents = Limits.Connection.windowEvents
        package var windowBytes = Limits.Connection.windowBytes
        package var sending = SendLimits()
        package var registrationsPerAddress = 60
        package var loginsPerAddress = 120
        package var loginsPerAccount = 20
    }

    package struct Log: Sendable, Equatable {
        package var level = LogLevel.info
        package var format = LogFormat.text
    }

    package struct Trace: Sendable, Equatable {
        package var events = Limits.Trace.events
        /// nil: beside the store; `traceDirectory` answers.
        package var directory: String?
    }

    package struct Metrics: Sendable, Equatable {
        package var enabled = true
    }

    package struct Canary: Sendable, Equatable {
        package var enabled = true
        package var periodSeconds = Limits.Canary.periodSeconds
        package var boundSeconds = Limits.Canary.boundSeconds
    }

    package struct Admin: Sendable, Equatable {
        package var enabled = true
        /// nil: beside `auth.keysFile`; `adminTokenPath` answers.
        package var tokenFile: String?
    }
}

extension NodeConfiguration {
    /// Where the nodes keep their traces: what the configuration says, or beside the store that they share.
    package var traceDirectory: String { trace.directory ?? store.path + "-trace" }
}

extension NodeConfiguration.OperatorLimits {
    /// Descriptors for so many connections.
    package var descriptors: OpenFiles.Shares { OpenFiles.Shares(sockets: connections, plain: plainConnections) }
}

package enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
}

package enum LogFormat: String, Sendable, CaseIterable {
    case text, json
}
