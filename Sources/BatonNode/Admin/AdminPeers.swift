package import BatonCore
import BatonStore
package import Foundation
package import NIOCore
import Synchronization

/// The nodes of the cluster, as their leases name them, and a way to ask all of them the same at once.
///
/// Redis is asked for the leases each time. While it does not answer, those that were seen last are asked, and those that the store's
/// file names, since that is when people look.
package final class AdminPeers: Sendable {
    /// Nodes that are asked at most.
    package static let nodes = 256
    /// How long a node, and the registry before, may take.
    static let patience = TimeAmount.seconds(1)
    private static let registryPatience = TimeAmount.milliseconds(500)

    private let client: AdminClient
    private let registry: @Sendable (TimeAmount) async -> [NodeLease]?
    private let storePeers: @Sendable () -> [NodeLease]
    private let known = Mutex<[NodeLease]>([])

    /// A node of the cluster and what it answered.
    package struct Answer: Sendable {
        package let lease: NodeLease
        package let result: Result<Data, AdminClientError>
    }

    /// Everybody's answers.
    package struct Answers: Sendable {
        /// Sorted by the nodes' names.
        package let nodes: [Answer]
        /// Whether the registry named the nodes just now; otherwise they are those of an earlier look.
        package let isRegistryReachable: Bool
    }

    /// - Parameters:
    ///   - registry: the nodes that Redis names; nil where it does not answer.
    ///   - storePeers: those that the store's file names.
    package init(
        client: AdminClient, registry: @escaping @Sendable (TimeAmount) async -> [NodeLease]?,
        storePeers: @escaping @Sendable () -> [NodeLease] = { [] }
    ) {
        self.client = client
        self.registry = registry
        self.storePeers = storePeers
    }

    /// Asks all nodes but `own`, at the same time.
    ///
    /// - Parameter path: begins with `/admin/`, with its query.
    package func ask(_ path: String, but own: NodeID? = nil) async -> Answers {
        let found = await currentLeases()
        let leases = found.leases.filter { $0.node != own }
        let answers = await withTaskGroup(of: Answer.self) { group in
            for lease in leases {
                group.addTask { [client] in
                    guard HostAndPort.isOne(lease.address) else {
                        return Answer(lease: lease, result: .failure(.malformed))
                    }
                    do throws(AdminClientError) {
                        let data = try await client.get(path, of: lease.address, within: Self.patience)
                        return Answer(lease: lease, result: .success(data))
                    } catch {
                        return Answer(lease: lease, result: .failure(error))
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        return Answers(
            nodes: answers.sorted { $0.lease.node.name < $1.lease.node.name }, isRegistryReachable: found.isFresh)
    }

    /// The nodes that hold a lease now. They are remembered all the time, since Redis may be away when they are needed.
    func remember(_ leases: [NodeLease]) { known.withLock { $0 = Array(leases.prefix(Self.nodes)) } }

    /// Those that were asked last, this node's own included.
    var leases: [NodeLease] { known.withLock { $0 } }

    /// The living nodes, or those that lived when the registry last answered.
    private func currentLeases() async -> (leases: [NodeLease], isFresh: Bool) {
        let fresh = await registry(Self.registryPatience)
        if let fresh {
            remember(fresh)
            return (leases, true)
        }
        return (Array(Self.latest(leases + storePeers()).prefix(Self.nodes)), false)
    }

    /// Of each node the latest start.
    private static func latest(_ leases: [NodeLease]) -> [NodeLease] {
        var latest: [NodeID: NodeLease] = [:]
        for lease in leases where latest[lease.node].map({ $0.incarnation < lease.incarnation }) ?? true {
            latest[lease.node] = lease
        }
        return latest.values.sorted { $0.node.name < $1.node.name }
    }
}

extension NodeLease {
    /// What a line of the store's file says, as far as it is the same.
    init?(_ peer: StorePeer) {
        guard let node = peer.node, !peer.address.isEmpty else { return nil }
        self.init(
            node: node, incarnation: peer.incarnation, address: peer.address, state: .up, connections: 0, since: peer.at
        )
    }
}

extension NodeConfiguration {
    /// The nodes that the store's file names, whether they live or not: for when Redis does not answer.
    package var storePeers: [NodeLease] { StorePeers.all(ofStore: store.path).compactMap(NodeLease.init) }
}
