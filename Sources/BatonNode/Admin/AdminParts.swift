import BatonCore
import BatonRedis
import BatonStore
import NIOCore

/// What a node needs to show itself, and the others, to an operator.
struct AdminParts: Sendable {
    let token: AdminToken
    /// Known once the node listens.
    let addresses = AdminAddresses()
    /// The way to the other nodes.
    let peers: AdminPeers
    private let client: AdminClient

    /// Nil where `/admin` is switched off.
    static func token(_ configuration: NodeConfiguration) throws -> AdminToken? {
        guard configuration.admin.enabled else { return nil }
        do throws(AdminTokenError) {
            return try AdminTokenFile.loadOrCreate(path: configuration.adminTokenPath)
        } catch {
            throw NodeError(description: "admin.tokenFile: \(error)")
        }
    }

    init(token: AdminToken, group: any EventLoopGroup, redis: RedisClient, store: StorePeers) {
        self.token = token
        client = AdminClient(token: token, on: group)
        peers = AdminPeers(
            client: client, registry: { await redis.nodes(within: $0) },
            storePeers: { store.others.compactMap(NodeLease.init) })
    }

    func close() async { await client.close() }
}
