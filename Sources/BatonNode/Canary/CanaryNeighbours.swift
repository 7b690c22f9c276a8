import AsyncHTTPClient
import BatonCore
import Foundation
import NIOCore

/// Asks other nodes whether they have the bus.
///
/// For a node that has lost it. Where nobody has it, nobody does better, and all go on. Where others have it, clients
/// are better off there: what is sent here reaches them late, and who is connected here looks offline to them.
struct CanaryNeighbours: Sendable {
    /// What of `/health/ready` is of interest.
    private struct Health: Decodable {
        let node: String
        let ready: Bool
        let reasons: [String]
    }

    /// Longer than a node takes that is any better.
    private static let patience = TimeAmount.seconds(1)
    private static let answerBytes = 64 * 1024

    private let http: HTTPClient

    init(on group: any EventLoopGroup) { http = AdminClient.makeHTTP(on: group) }

    func close() async { try? await http.shutdown() }

    /// Those that answer, take clients and have the bus.
    func withBus(among leases: [NodeLease]) async -> [NodeID] {
        await withTaskGroup(of: NodeID?.self) { tasks in
            for lease in leases {
                tasks.addTask { await hasBus(lease) ? lease.node : nil }
            }
            return await tasks.reduce(into: []) { nodes, node in if let node { nodes.append(node) } }
        }
    }

    private func hasBus(_ lease: NodeLease) async -> Bool {
        let request = HTTPClientRequest(url: "http://\(lease.address)/health/ready")
        guard let response = try? await http.execute(request, timeout: Self.patience),
            let body = try? await response.body.collect(upTo: Self.answerBytes),
            let health = try? JSONDecoder().decode(Health.self, from: Data(body.readableBytesView))
        else { return false }
        return health.node == lease.node.name && health.ready && NodeState.hasBus(health.reasons)
    }
}
