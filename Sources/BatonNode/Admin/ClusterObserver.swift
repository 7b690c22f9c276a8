import BatonCore
import Foundation
import NIOCore

/// Asks all nodes of the cluster, for a person or program that asks this one.
///
/// However many ask, it looks once at a time, and those that come meanwhile or just after get the same answer: a page
/// that is open on a hundred screens costs the nodes two questions a second.
actor ClusterObserver {
    /// For how long an answer is good.
    static let freshness = TimeAmount.milliseconds(400)
    /// The backlog is counted no more often.
    static let backlogPeriod = TimeAmount.seconds(5)

    private let node: NodeID
    private let status: @Sendable () async -> NodeStatus
    private let peers: AdminPeers
    private let surroundings: Surroundings
    private let clock: any CivilClock

    private var latest: (status: ClusterStatus, at: NIODeadline)?
    private var backlog: (count: Int?, at: NIODeadline)?
    /// Those who came while a look is under way; nil while none is.
    private var waiting: [CheckedContinuation<ClusterStatus, Never>]?

    init(
        node: NodeID, status: @escaping @Sendable () async -> NodeStatus, peers: AdminPeers,
        surroundings: Surroundings, clock: any CivilClock = SystemClock()
    ) {
        self.node = node
        self.status = status
        self.peers = peers
        self.surroundings = surroundings
        self.clock = clock
    }

    func look() async -> ClusterStatus {
        if let latest, NIODeadline.now() - latest.at < Self.freshness { return latest.status }
        if waiting != nil { return await withCheckedContinuation { waiting?.append($0) } }
        waiting = []
        let status = await ask()
        latest = (status, .now())
        for continuation in waiting ?? [] { continuation.resume(returning: status) }
        waiting = nil
        return status
    }

    private func ask() async -> ClusterStatus {
        async let answers = peers.ask("/admin/status", but: node)
        async let redis = surroundings.redisServer()
        let store = sharedStore(await countBacklog())
        let own = await status()
        var nodes = await answers.nodes.map(Self.node)
        let lease = peers.leases.first { $0.node == node }
        nodes.append(
            ClusterStatus.Node(
                node: node.name, address: lease?.address ?? "", lease: lease?.state.rawValue, status: own))
        var found = ClusterStatus(
            answeredBy: node.name, at: clock.now.milliseconds, registryReachable: await answers.isRegistryReachable,
            nodes: nodes.sorted { $0.node < $1.node }, redis: await redis, store: store)
        found.problems = found.foundProblems()
        return found
    }

    private func countBacklog() async -> Int? {
        if let backlog, NIODeadline.now() - backlog.at < Self.backlogPeriod { return backlog.count }
        let count = await surroundings.backlog()
        backlog = (count, .now())
        return count
    }

    private func sharedStore(_ backlog: Int?) -> ClusterStatus.SharedStore {
        let disk = surroundings.disk
        return ClusterStatus.SharedStore(
            backlog: backlog, backlogIsBound: backlog == Surroundings.countedBacklog, fileBytes: disk.fileBytes,
            walBytes: disk.walBytes, freeBytes: disk.freeBytes, diskBytes: disk.totalBytes)
    }

    private static func node(_ answer: AdminPeers.Answer) -> ClusterStatus.Node {
        var node = ClusterStatus.Node(
            node: answer.lease.node.name, address: answer.lease.address, lease: answer.lease.state.rawValue)
        switch answer.result {
        case .success(let data):
            node.status = try? JSONDecoder().decode(NodeStatus.self, from: data)
            if node.status == nil { node.problem = "\(AdminClientError.malformed)" }
        case .failure(let error): node.problem = "\(error)"
        }
        return node
    }
}
