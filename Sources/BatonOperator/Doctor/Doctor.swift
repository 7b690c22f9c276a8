import BatonCore
import BatonEdge
package import BatonNode
import BatonRedis
import Foundation
package import Logging
import NIOCore
import NIOPosix

/// Looks at what a node of this configuration would find, and at the nodes that run: Redis, the store, the host, the
/// nodes themselves and the balancer before them. Changes nothing; but where a connection through the balancer is tried,
/// a node makes a user for that, once.
package struct Doctor: Sendable {
    /// What else to look at.
    package struct Options: Sendable {
        /// A file of HAProxy's configuration.
        package var haproxy: String?
        /// Where clients reach the cluster.
        package var balancer: String?
        /// For so long a connection through the balancer is left idle; zero: it is not tried.
        package var idle = Options.idleDefault
        /// Told what takes long, in words.
        package var onProgress: @Sendable (String) -> Void = { _ in }

        /// Long enough for a node's ping.
        package static let idleDefault = Limits.Connection.pingSeconds + 5

        package init(haproxy: String? = nil, balancer: String? = nil) {
            self.haproxy = haproxy
            self.balancer = balancer
        }
    }

    let configuration: NodeConfiguration
    let options: Options
    private let logger: Logger

    package init(_ configuration: NodeConfiguration, options: Options = Options(), logger: Logger) {
        self.configuration = configuration
        self.options = options
        self.logger = logger
    }

    package func examine() async -> Diagnosis {
        var diagnosis = Diagnosis()
        let nodes = await examineRedis(&diagnosis)
        await examineStore(&diagnosis)
        examineHost(&diagnosis)
        let visits = DoctorVisits()
        await examineNodes(nodes, visits, &diagnosis)
        await examineBalancer(nodes, visits, &diagnosis)
        await visits.end()
        return diagnosis
    }

    /// - Returns: the nodes that hold a lease.
    private func examineRedis(_ diagnosis: inout Diagnosis) async -> [NodeLease] {
        let check = "redis"
        let url = configuration.redis.url
        let settings = RedisSettings(url: url, trust: configuration.redis.tlsCA.map { .file($0) } ?? .system)
        guard let name = NodeID("doctor") else { return [] }
        var nodes: [NodeLease] = []
        do {
            let redis = try await RedisClient.start(
                on: [MultiThreadedEventLoopGroup.singleton.next()], node: name, settings: settings, logger: logger)
            if await redis.waitUntilConnected(for: .seconds(Limits.Redis.connectSeconds)) {
                diagnosis.findings.append(.ok(check, "\(url)"))
                await examine(redis, &diagnosis)
                nodes = await redis.nodes() ?? []
            } else {
                diagnosis.findings.append(
                    .failure(check, "\(url) is not reachable", change: "start Redis, or set redis.url"))
            }
            await redis.close()
        } catch {
            diagnosis.findings.append(.failure(check, "\(url): \(error)", change: "correct redis.tlsCA"))
        }
        return nodes
    }

    private func examineHost(_ diagnosis: inout Diagnosis) {
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            // A node raises its limit so far.
            diagnosis.findings.append(
                DoctorRules.openFiles(
                    limit: Int(clamping: limit.rlim_max), for: configuration.limits.descriptors))
        }
        let path = "/proc/sys/net/core/somaxconn"
        if let text = try? String(contentsOfFile: path, encoding: .utf8),
            let somaxconn = Int(text.filter(\.isNumber))
        {
            diagnosis.findings.append(
                DoctorRules.backlog(somaxconn: somaxconn, wanted: Int(Edge.listenBacklog)))
        }
    }
}
