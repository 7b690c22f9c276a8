import BatonCore
import BatonNode
import BatonRedis
import Foundation
import Logging
import NIOCore
import NIOPosix

/// Where `baton top` looks: at any node that answers for the whole cluster. The nodes come from the command line or from
/// their leases in Redis; afterwards from the answers themselves, so that neither Redis nor the first node is needed.
actor TopSource {
    /// A node has this long to ask the others and answer.
    private static let patience = TimeAmount.seconds(3)
    private static let addresses = 256

    private let client: AdminClient
    /// In the order in which they are asked.
    private var candidates: [String]

    init(token: AdminToken, addresses: [String]) {
        client = AdminClient(token: token, on: MultiThreadedEventLoopGroup.singleton)
        candidates = addresses
    }

    func close() async { await client.close() }

    /// The cluster as the first node that answers sees it.
    func look() async throws(CommandFailure) -> ClusterStatus {
        var problem: CommandFailure?
        for address in candidates {
            do throws(AdminClientError) {
                let data = try await client.get("/admin/cluster", of: address, within: Self.patience)
                guard let status = try? JSONDecoder().decode(ClusterStatus.self, from: data) else {
                    throw AdminClientError.malformed
                }
                remember(status, from: address)
                return status
            } catch {
                // Also where it refuses: a lease may name an address that is no node's.
                problem = problem ?? CommandFailure("the node at \(address) \(error)")
            }
        }
        throw problem ?? CommandFailure("there is no node to ask; name one with --node http://HOST:PORT")
    }

    /// Who answered is asked first next time, then those that it knows.
    private func remember(_ status: ClusterStatus, from address: String) {
        var known = [address]
        for other in status.nodes.map(\.address) + candidates where !other.isEmpty && !known.contains(other) {
            known.append(other)
        }
        candidates = Array(known.prefix(Self.addresses))
    }
}

extension TopSource {
    /// The token: of the environment, or of the file that the nodes of this host share.
    static func token(
        _ configuration: NodeConfiguration, environment: [String: String]
    ) throws(CommandFailure) -> AdminToken {
        if let text = environment[AdminToken.environmentName], !text.isEmpty {
            guard let token = AdminToken(text) else {
                throw CommandFailure("\(AdminToken.environmentName) holds no admin token")
            }
            return token
        }
        do throws(AdminTokenError) {
            return try AdminTokenFile.load(path: configuration.adminTokenPath)
        } catch {
            throw CommandFailure(
                "\(error); --config or --set admin.tokenFile=PATH says where it is, or \(AdminToken.environmentName) "
                    + "holds it")
        }
    }

    /// The nodes that hold a lease. Where Redis does not answer: those that the store's file names, and the one that the configuration
    /// is of, since they may live.
    static func nodes(_ configuration: NodeConfiguration) async throws -> [String] {
        let settings = RedisSettings(
            url: configuration.redis.url, trust: configuration.redis.tlsCA.map { .file($0) } ?? .system)
        guard let name = NodeID("top") else { return [] }
        let logger = Logger(label: "top") { _ in SwiftLogNoOpLogHandler() }
        let redis = try await RedisClient.start(
            on: [MultiThreadedEventLoopGroup.singleton.next()], node: name, settings: settings, logger: logger)
        var leases: [NodeLease]?
        if await redis.waitUntilConnected(for: .seconds(Limits.Redis.connectSeconds)) {
            leases = await redis.nodes(within: .seconds(Limits.Redis.commandSeconds))
        }
        await redis.close()
        guard let leases else {
            let listen = configuration.listen
            var addresses = configuration.storePeers.map(\.address)
            let own = "\(listen.host):\(listen.port)"
            if !addresses.contains(own) { addresses.append(own) }
            Output.notice(
                "Redis at \(configuration.redis.url) does not answer; trying \(addresses.joined(separator: ", "))")
            return addresses
        }
        guard !leases.isEmpty else {
            throw CommandFailure("no node holds a lease in Redis at \(configuration.redis.url); is one running?")
        }
        return leases.map(\.address).sorted()
    }
}
