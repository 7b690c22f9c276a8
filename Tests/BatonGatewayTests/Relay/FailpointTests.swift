import BatonCore
import BatonProtocol
import NIOCore
import Synchronization
import Testing

@testable import BatonGateway

@Suite("Failpoints")
struct FailpointTests {
    private let relay = RelayFixture()

    @Test("At `committed` the store has the message, and nobody was told")
    func committed() {
        let witness = Witness()
        let node = watched(.committed, by: witness)
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice, on: node), relay.greet(bob, on: node))
        witness.look = { [relay] in
            #expect(relay.head(of: bob) == 1)
            #expect(sender.written().isEmpty && receiver.written().isEmpty)
        }
        sender.message("r", to: bob)
        #expect(witness.passes == 1 && receiver.events() == [1])
        sender.message("r", to: bob)
        #expect(witness.passes == 1, "a repeat commits nothing")
    }

    @Test("At `published` the hint has left, and `accepted` has not")
    func published() {
        let witness = Witness()
        let node = watched(.published, by: witness)
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice, on: node), relay.greet(bob))
        let before = relay.metrics["baton_hints_received_total"]
        witness.look = { [relay] in
            #expect(relay.metrics["baton_hints_received_total"] > before)
            #expect(sender.written().isEmpty)
        }
        sender.message("r", to: bob)
        #expect(witness.passes == 1 && receiver.events() == [1])
        guard case .accepted? = sender.frames().first else {
            Issue.record("not accepted")
            return
        }
    }

    @Test("At `drain` the first event of a page has left, and the others have not")
    func drain() throws {
        let witness = Witness()
        let node = watched(.drain, by: witness)
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        try relay.store(5, from: alice, to: bob)
        let receiver = relay.connect(bob, on: node)
        witness.look = {
            let events = receiver.written().count { if case .event = $0 { true } else { false } }
            #expect(events == 1)
        }
        receiver.hello()
        #expect(witness.passes == 1 && receiver.events() == [2, 3, 4, 5])
    }

    @Test("At `acknowledged` the store was not told")
    func acknowledged() throws {
        let witness = Witness()
        let node = watched(.acknowledged, by: witness)
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        try relay.store(1, from: alice, to: bob)
        let receiver = relay.greet(bob, on: node)
        let before = relay.store.submissions
        witness.look = { [relay] in #expect(relay.store.submissions == before) }
        receiver.ack(1)
        #expect(witness.passes == 1 && relay.store.submissions == before + 1)
        receiver.ack(1)
        #expect(witness.passes == 1, "an old acknowledgement passes nothing")
    }

    @Test("A point that is not armed does nothing")
    func unarmed() {
        let passed = Passed()
        let failpoints = Failpoints([.drain, .acknowledged]) { passed.add($0) }
        for point in Failpoint.allCases { failpoints.passed(point) }
        #expect(passed.points == [.drain, .acknowledged])
        #expect(Failpoint.allCases.allSatisfy { !Failpoints.none.isArmed($0) })
    }

    /// A node on which somebody looks around at a failpoint.
    private func watched(_ point: Failpoint, by witness: Witness) -> RelayLoop {
        let bound = NIOLoopBound(witness, eventLoop: relay.eventLoop)
        return relay.addNode("watched") { $0.failpoints = Failpoints([point]) { _ in bound.value.pass() } }
    }
}

private final class Witness {
    var look: () -> Void = {}
    private(set) var passes = 0

    func pass() {
        passes += 1
        look()
    }
}

@available(*, unavailable) extension Witness: Sendable {}

private final class Passed: Sendable {
    private let state = Mutex<Set<Failpoint>>([])
    var points: Set<Failpoint> { state.withLock { $0 } }
    func add(_ point: Failpoint) { state.withLock { _ = $0.insert(point) } }
}

extension RelayFixture {
    fileprivate func head(of user: UserID) -> UInt64? {
        let head = Mutex<UInt64?>(nil)
        store.inboxHeads(of: [user]) { result in
            if case .success(let heads) = result { head.withLock { $0 = heads[user]?.rawValue } }
        }
        return head.withLock { $0 }
    }
}
