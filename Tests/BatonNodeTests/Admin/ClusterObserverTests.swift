import BatonCore
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import BatonNode

@Suite("A look at the cluster")
struct ClusterObserverTests {
    @Test("A node that does not answer is told of, with the reason, and keeps nobody waiting")
    func deadNode() async throws {
        try await withPeers(leases: ["n1": "127.0.0.1:1", "n2": "127.0.0.1:1"]) { peers in
            let status = await observer(peers).look()
            #expect(status.registryReachable)
            #expect(status.nodes.map(\.node) == ["n1", "n2"])
            #expect(status.nodes[0].status?.node == "n1")
            #expect(status.nodes[0].address == "127.0.0.1:1")
            #expect(status.nodes[1].status == nil)
            #expect(status.nodes[1].problem == "does not answer")
        }
    }

    @Test("Without Redis the nodes that it named last are asked still")
    func withoutRegistry() async throws {
        let leases = Mutex<[NodeLease]?>([lease("n1", "127.0.0.1:1"), lease("n2", "127.0.0.1:1")])
        try await withPeers { _ in
            leases.withLock { $0 }
        } body: { peers in
            _ = await peers.ask("/admin/status")
            leases.withLock { $0 = nil }
            let status = await observer(peers).look()
            #expect(!status.registryReachable)
            #expect(status.nodes.map(\.node) == ["n1", "n2"])
        }
    }

    @Test("Alone, and without Redis from the start, a node tells of itself")
    func alone() async throws {
        try await withPeers { _ in
            nil
        } body: { peers in
            let status = await observer(peers).look()
            #expect(status.nodes.map(\.node) == ["n1"])
            #expect(status.nodes[0].lease == nil)
            #expect(status.redis == nil)
        }
    }

    @Test("Without Redis from the start those are asked that the store's file names, of each node its latest start")
    func storePeers() async throws {
        let token = try #require(AdminToken(AdminHarness.token))
        let client = AdminClient(token: token, on: MultiThreadedEventLoopGroup.singleton)
        let named = [
            lease("n1", "127.0.0.1:1"), lease("n2", "127.0.0.1:1", incarnation: 2), lease("n2", "127.0.0.1:2"),
        ]
        let peers = AdminPeers(client: client, registry: { _ in nil }, storePeers: { named })
        let status = await observer(peers).look()
        #expect(!status.registryReachable && status.nodes.map(\.node) == ["n1", "n2"])
        #expect(status.nodes[1].address == "127.0.0.1:1" && status.nodes[1].problem == "does not answer")
        // What Redis told before counts as long as no later start is known.
        peers.remember([lease("n3", "127.0.0.1:1"), lease("n2", "127.0.0.1:3", incarnation: 3)])
        let later = await peers.ask("/admin/status", but: NodeID("n1")!)
        #expect(later.nodes.map(\.lease.address) == ["127.0.0.1:3", "127.0.0.1:1"])
        await client.close()
    }

    @Test("Those who ask at the same time, or just after, share one look")
    func sharing() async throws {
        let looks = Mutex(0)
        try await withPeers { _ in
            looks.withLock { $0 += 1 }
            return []
        } body: { peers in
            let observer = observer(peers)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<100 { group.addTask { _ = await observer.look() } }
            }
            _ = await observer.look()
            // A second one only where the machine took longer than an answer is good for.
            #expect(looks.withLock { $0 } <= 2)
        }
    }

    @Test("The backlog says when it was only counted up to the bound", arguments: [0, 99_999, 100_000])
    func boundedBacklog(_ count: Int) async throws {
        try await withPeers { _ in
            []
        } body: { peers in
            let store = await observer(peers, backlog: count).look().store
            #expect(store.backlog == count)
            #expect(store.backlogIsBound == (count == Surroundings.countedBacklog))
        }
    }

    @Test("More nodes than the bound are not asked")
    func boundedNodes() async throws {
        let many = (0..<(AdminPeers.nodes + 1)).map { lease("m\($0)", "127.0.0.1:1") }
        try await withPeers { _ in
            many
        } body: { peers in
            #expect(await peers.ask("/admin/status").nodes.count == AdminPeers.nodes)
        }
    }

    @Test(
        "A lease's address is host and port; whatever else somebody wrote there is not asked",
        arguments: [
            "127.0.0.1:8081/steal?", "http://127.0.0.1:8081", "http+unix://%2Ftmp%2Fx:1", "user@127.0.0.1:8081",
            "127.0.0.1:0", "127.0.0.1:70000", ":80", "127.0.0.1", "[::1", "a b:80", "127.0.0.1:80#", "[]:80", "",
        ])
    func foreignAddress(_ address: String) async throws {
        try await withPeers { _ in
            [lease("m1", address)]
        } body: { peers in
            let answers = await peers.ask("/admin/status").nodes
            #expect(answers.map(\.result) == [.failure(.malformed)])
        }
    }

    @Test(
        "Addresses as configurations have them",
        arguments: ["127.0.0.1:8081", "[::1]:1", "node-1.example.org:443", "a_b:80"])
    func addresses(_ address: String) { #expect(HostAndPort.isOne(address)) }

    @Test("What INFO says becomes the server's numbers, whatever is missing")
    func information() {
        let text =
            "# Server\r\nredis_version:7.0.15\r\nuptime_in_seconds:12\r\nused_memory:99\r\nmaxmemory:x\r\nodd\r\n"
        let server = ClusterStatus.RedisServer(information: text, answerSeconds: 0.25)
        #expect(server.version == "7.0.15")
        #expect(server.uptimeSeconds == 12)
        #expect(server.usedBytes == 99)
        #expect(server.maximumBytes == 0)
        #expect(server.clients == 0)
    }

    private func lease(_ name: String, _ address: String, incarnation: UInt64 = 1) -> NodeLease {
        NodeLease(
            node: NodeID(name)!, incarnation: incarnation, address: address, state: .up, connections: 0,
            since: Timestamp(milliseconds: 0))
    }

    private func withPeers(
        leases: [String: String], _ body: (AdminPeers) async throws -> Void
    ) async throws {
        let leases = leases.map { lease($0.key, $0.value) }
        try await withPeers({ _ in leases }, body: body)
    }

    private func withPeers(
        _ registry: @escaping @Sendable (TimeAmount) async -> [NodeLease]?, body: (AdminPeers) async throws -> Void
    ) async throws {
        let token = try #require(AdminToken(AdminHarness.token))
        let client = AdminClient(token: token, on: MultiThreadedEventLoopGroup.singleton)
        do {
            try await body(AdminPeers(client: client, registry: registry))
        } catch {
            await client.close()
            throw error
        }
        await client.close()
    }

    private func observer(_ peers: AdminPeers, backlog: Int = 0) -> ClusterObserver {
        ClusterObserver(
            node: NodeID("n1")!, status: { .sample("n1") }, peers: peers,
            surroundings: Surroundings(
                backlog: { backlog }, redisServer: { nil }, disk: StoreDisk(path: "/nowhere/at/all")))
    }
}
