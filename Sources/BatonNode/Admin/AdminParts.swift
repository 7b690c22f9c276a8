import AsyncHTTPClient
import BatonCore
import BatonRedis
import NIOCore

/// What a node needs to show itself, and the others, to an operator.
struct AdminParts: Sendable {
    let token: AdminToken
    /// The way to the other nodes.
    let peers: AdminPeers
    private let http: HTTPClient

    /// Nil where `/admin` is switched off.
    static func token(_ configuration: NodeConfiguration) throws -> AdminToken? {
        guard configuration.admin.enabled else { return nil }
        do throws(AdminTokenError) {
            return try AdminTokenFile.loadOrCreate(path: configuration.adminTokenPath)
        } catch {
            throw NodeError(description: "admin.tokenFile: \(error)")
        }
    }

    init(token: AdminToken, group: any EventLoopGroup, redis: RedisClient) {
        self.token = token
        http = AdminClient.makeHTTP(on: group)
        peers = AdminPeers(client: AdminClient(token: token, http: http)) { await redis.nodes(within: $0) }
    }

    func close() async { try? await http.shutdown() }
}
