import Testing

@testable import BatonNode

@Suite("What is wrong in a cluster")
struct ClusterProblemsTests {
    @Test("In a good one, nothing")
    func nothing() {
        #expect(cluster().foundProblems().isEmpty)
    }

    @Test("Redis that does not answer, and nodes that nobody named just now")
    func withoutRedis() {
        var cluster = cluster()
        cluster.redis = nil
        cluster.registryReachable = false
        let problems = cluster.foundProblems()
        #expect(problems.map(\.severity) == [.bad, .warning])
        #expect(problems[0].text.contains("Redis does not answer"))
    }

    @Test("A node that does not answer is named, with the reason")
    func deadNode() {
        var cluster = cluster()
        cluster.nodes[1].status = nil
        cluster.nodes[1].problem = "refuses the admin token"
        #expect(
            cluster.foundProblems() == [
                ClusterStatus.Problem(severity: .bad, node: "n2", text: "refuses the admin token")
            ])
    }

    @Test("A node that is not ready, or degraded", arguments: [true, false])
    func degraded(_ isReady: Bool) {
        let problems = node { status in
            status.ready = isReady
            status.degraded = true
            status.reasons = ["store_full"]
        }
        #expect(problems.map(\.text) == [isReady ? "is degraded: store_full" : "is not ready: store_full"])
        #expect(problems.map(\.severity) == [.bad])
    }

    @Test("A node that comes or goes is no trouble, but is told of", arguments: ["starting", "evacuating"])
    func passing(_ reason: String) {
        let problems = node { status in
            status.ready = false
            status.reasons = [reason]
        }
        #expect(problems.map(\.severity) == [.warning])
    }

    @Test("A queue, and descriptors, at their share of the bound", arguments: [(7, 0), (8, 1)])
    func shares(_ queued: Int64, _ count: Int) {
        #expect(node { $0.store.queued = queued }.count == count)
        let descriptors = Int(queued) == 8 ? 922 : 921
        #expect(node { $0.process.descriptors = descriptors }.count == count)
    }

    @Test("A disk with less than a tenth left, and keys that Redis evicted")
    func surroundings() {
        var full = cluster()
        full.store.freeBytes = 9
        #expect(full.foundProblems().map(\.text) == ["the store's disk has 9 % left"])
        full.store.freeBytes = 10
        #expect(full.foundProblems().isEmpty)
        var evicting = cluster()
        evicting.redis?.evictedKeys = 3
        #expect(evicting.foundProblems().first?.text.contains("evicted 3 keys") == true)
    }

    private func node(_ change: (inout NodeStatus) -> Void) -> [ClusterStatus.Problem] {
        var cluster = cluster()
        var status = NodeStatus.quiet("n2")
        change(&status)
        cluster.nodes[1].status = status
        return cluster.foundProblems()
    }

    private func cluster() -> ClusterStatus {
        ClusterStatus(
            answeredBy: "n1", at: 0, registryReachable: true,
            nodes: ["n1", "n2"].map { name in
                ClusterStatus.Node(node: name, address: "127.0.0.1:1", lease: "up", status: .quiet(name))
            },
            redis: ClusterStatus.RedisServer(
                version: "7", uptimeSeconds: 1, usedBytes: 1, maximumBytes: 0, clients: 1, commandsPerSecond: 1,
                evictedKeys: 0, answerSeconds: 0.001),
            store: ClusterStatus.SharedStore(
                backlog: 0, backlogIsBound: false, fileBytes: 1, walBytes: 1, freeBytes: 50, diskBytes: 100))
    }
}

extension NodeStatus {
    /// A node without slow readers.
    static func quiet(_ name: String) -> NodeStatus {
        var status = sample(name)
        status.slowReaders = SlowReaders(count: 0, slowest: [])
        return status
    }
}
