import BatonCore
import BatonTestKit
import Testing

@testable import BatonNode

@Suite("Who a node's canaries are")
struct CanaryAccountTests {
    private let now = Timestamp(milliseconds: 1_767_225_600_000)

    @Test("A canary is made once, and is the same user and device at each start")
    func idempotent() async throws {
        let accounts = InMemoryAccountStore()
        let handle = CanaryHandle.sender(of: try #require(NodeID("n1")))
        let first = try await CanaryAccount.findOrMake(handle, in: accounts, at: now)
        let second = try await CanaryAccount.findOrMake(handle, in: accounts, at: now)
        #expect(first.user == second.user && first.device == second.device)
        #expect(try await accounts.devices(of: first.user).count == 1)
        #expect(try await accounts.credentials(handle: handle)?.passwordHash.hasPrefix("$") == false)
    }

    @Test("Two starts at the same moment find one user")
    func concurrent() async throws {
        let accounts = InMemoryAccountStore()
        let handle = CanaryHandle.sender(of: try #require(NodeID("n1")))
        async let one = CanaryAccount.findOrMake(handle, in: accounts, at: now)
        async let other = CanaryAccount.findOrMake(handle, in: accounts, at: now)
        let (first, second) = try await (one, other)
        #expect(first.user == second.user)
    }

    @Test("A canary whose device was revoked gets another")
    func revoked() async throws {
        let accounts = InMemoryAccountStore()
        let first = try await CanaryAccount.findOrMake("canary-n1", in: accounts, at: now)
        _ = try await accounts.revokeDevice(first.device, of: first.user, at: now)
        let second = try await CanaryAccount.findOrMake("canary-n1", in: accounts, at: now)
        #expect(first.user == second.user && first.device != second.device)
    }

    @Test("No node's partner is another node's canary")
    func names() throws {
        let node = try #require(NodeID("n1"))
        #expect(CanaryHandle.sender(of: node) == "canary-n1")
        #expect(NodeID(String(CanaryHandle.partner(of: node).dropFirst(CanaryHandle.prefix.count))) == nil)
        #expect(CanaryHandle.isReserved(CanaryHandle.partner(of: node)))
        #expect(!CanaryHandle.isReserved("canary") && !CanaryHandle.isReserved("alice"))
    }

    @Test("Of many nodes a round reaches some, of few all, and never one that is being left, or itself")
    func peers() async throws {
        let accounts = InMemoryAccountStore()
        let own = try #require(NodeID("n0"))
        var peers = CanaryPeers(own: own, accounts: accounts)
        var generator = SeededGenerator(seed: 1)
        let leases = try (0...Limits.Canary.peers + 1).map { number in
            NodeLease(
                node: try #require(NodeID("n\(number)")), incarnation: 1, address: "127.0.0.1:1",
                state: number == 1 ? .evacuating : .up, connections: 0, since: now)
        }
        peers.update(leases)
        #expect(peers.living.count == Limits.Canary.peers)
        #expect(Set(peers.choice(using: &generator).map(\.node)) == Set(peers.living))
        let more = NodeLease(
            node: try #require(NodeID("more")), incarnation: 1, address: "127.0.0.1:1", state: .up, connections: 0,
            since: now)
        peers.update(leases + [more])
        #expect(peers.living.count == Limits.Canary.peers + 1)
        #expect(Set(peers.choice(using: &generator)).count == Limits.Canary.peers)
        // A Redis that does not answer says nothing about the nodes.
        peers.update(nil)
        #expect(peers.living.count == Limits.Canary.peers + 1)
        let n2 = try #require(NodeID("n2"))
        #expect(await peers.user(of: n2) == nil)
        let account = try await CanaryAccount.findOrMake(CanaryHandle.sender(of: n2), in: accounts, at: now)
        #expect(await peers.user(of: n2) == account.user)
    }

    @Test("A node is ready once its canary has delivered, and not when it fails")
    func readiness() {
        let proven = CanaryWatch(bound: .seconds(20), period: .seconds(5), metrics: PrometheusMetrics())
        let state = NodeState(loops: 0, canary: proven)
        state.serving()
        #expect(state.summary().reasons == ["starting"] && !state.summary().ready)
        proven.sent("a", to: .local, user: UserID(rawValue: 1))
        proven.accepted("a", as: ConversationSequence(rawValue: 1))
        proven.delivered(to: UserID(rawValue: 1), upTo: ConversationSequence(rawValue: 1))
        #expect(state.summary().ready && state.summary().reasons.isEmpty)

        let failing = CanaryWatch(bound: .zero, period: .zero, metrics: PrometheusMetrics())
        let other = NodeState(loops: 0, canary: failing)
        other.serving()
        #expect(other.summary().reasons == ["canary_undelivered"] && !other.summary().ready)
    }

    @Test("A node that lacks what others have is not ready, and is as soon as Redis is back")
    func cutOff() throws {
        let watch = CanaryWatch(bound: .zero, period: .zero, metrics: PrometheusMetrics())
        watch.bus(isThere: false)
        watch.othersHaveBus([try #require(NodeID("n2"))])
        let state = NodeState(loops: 1, canary: watch)
        state.serving()
        #expect(!state.summary().ready)
        #expect(state.summary().reasons.contains("canary_cut_off:n2"))
        state.redis(loop: 0, isConnected: true)
        #expect(state.summary().reasons == ["canary_undelivered"])
    }
}
