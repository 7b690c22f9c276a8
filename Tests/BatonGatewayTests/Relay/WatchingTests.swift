import BatonCore
import BatonProtocol
import BatonTestKit
import NIOCore
import NIOEmbedded
import Testing

@testable import BatonGateway

@Suite("Who is told of whose presence")
struct WatchingTests {
    private let relay = RelayFixture()
    private let circle = Circle()

    private func loop(_ loop: RelayLoop) -> RelayLoop {
        let (circle, eventLoop) = (circle, relay.eventLoop)
        loop.acquaintances = { user, others in
            if let failure = circle.failure { return eventLoop.makeFailedFuture(failure) }
            return eventLoop.makeSucceededFuture(Set(others.filter { circle.acquainted.contains([user, $0]) }))
        }
        return loop
    }

    /// What a client was told of presence since the last look, users by their numbers.
    private func told(_ client: RelayClient) -> [Told] {
        client.frames().compactMap { frame in
            guard case .presence(let update) = frame, let user = UserID(update.user) else { return nil }
            return Told(user: user.rawValue, isOnline: update.online, lastSeen: update.lastSeenMs)
        }
    }

    private struct Told: Hashable {
        let user: UInt64
        let isOnline: Bool
        var lastSeen: UInt64 = 0
    }

    private func watch(_ users: [UserID], by client: RelayClient) {
        client.send { $0.watch.users = users.map(\.description) }
    }

    @Test("A block takes effect at once on all loops and nodes, and so does its end")
    func block() {
        let loops = [loop(relay.loop), loop(relay.addLoop(to: relay.node)), loop(relay.addNode("b"))]
        let (alice, bob, carol) = (relay.addUser(1), relay.addUser(2, devices: [1, 2, 3]), relay.addUser(3))
        circle.acquainted = [[alice, bob], [bob, carol]]
        _ = relay.greet(alice)
        _ = relay.greet(carol)
        let watchers = loops.enumerated().map { relay.greet(bob, device: UInt64($0 + 1), on: $1) }
        for watcher in watchers {
            watch([alice, carol], by: watcher)
            #expect(Set(told(watcher)) == [Told(user: 1, isOnline: true), Told(user: 3, isOnline: true)])
        }
        circle.acquainted.remove([alice, bob])
        loops[0].announceAcquaintance(of: alice, and: bob)
        relay.run()
        for watcher in watchers { #expect(told(watcher) == [Told(user: 1, isOnline: false)]) }
        // Whatever becomes of her, he hears nothing.
        for loop in loops { loop.announce(.online, of: alice) }
        relay.advance(seconds: Limits.Node.backstopMaximumSeconds + 1)
        for watcher in watchers { #expect(told(watcher).isEmpty) }
        #expect(!relay.buses[2].subscribed.contains(.watch(alice)) && relay.buses[2].subscribed.contains(.watch(carol)))

        circle.acquainted.insert([alice, bob])
        loops[2].announceAcquaintance(of: bob, and: alice)
        relay.run()
        for watcher in watchers { #expect(told(watcher) == [Told(user: 1, isOnline: true)]) }
    }

    @Test("Who watches somebody that has not answered is told of them with the first answer")
    func firstAnswer() {
        let (one, other) = (loop(relay.loop), loop(relay.addNode("b")))
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (asking, asked) = (relay.greet(alice, on: one), relay.greet(bob, on: other))
        asking.message("hello", to: bob)
        watch([bob], by: asking)
        watch([alice], by: asked)
        #expect(told(asking).isEmpty && told(asked).isEmpty)
        circle.acquainted = [[alice, bob]]
        asked.message("hello yourself", to: alice)
        #expect(told(asking) == [Told(user: 2, isOnline: true)])
        #expect(told(asked) == [Told(user: 1, isOnline: true)])
    }

    @Test("What the bus lost of a block the sweep finds, and where the store cannot be asked nothing is shown")
    func lostBlock() {
        _ = loop(relay.loop)
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        circle.acquainted = [[alice, bob]]
        _ = relay.greet(alice)
        let watcher = relay.greet(bob)
        watch([alice], by: watcher)
        #expect(told(watcher) == [Told(user: 1, isOnline: true)])
        circle.acquainted = []
        relay.advance(seconds: Limits.Node.backstopMaximumSeconds + 1)
        #expect(told(watcher) == [Told(user: 1, isOnline: false)])

        func recheck() {
            relay.loop.recheckPresence()
            relay.loop.recheckSomePresence()
            relay.run()
        }
        circle.acquainted = [[alice, bob]]
        recheck()
        #expect(told(watcher) == [Told(user: 1, isOnline: true)])
        circle.failure = .unavailable("")
        recheck()
        #expect(told(watcher).isEmpty, "a sweep that learns nothing changes nothing")
        relay.loop.acquaintanceChanged(of: bob, with: alice)
        #expect(told(watcher) == [Told(user: 1, isOnline: false)], "what may have been a block counts as one")
        circle.failure = nil
        recheck()
        #expect(told(watcher) == [Told(user: 1, isOnline: true)])
    }

    @Test("The answer to a question from before a block does not undo it")
    func overtakenByBlock() {
        let loop = loop(relay.loop)
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        _ = relay.greet(alice)
        let watcher = relay.greet(bob)
        let early = relay.eventLoop.makePromise(of: Set<UserID>.self)
        loop.acquaintances = { _, _ in early.futureResult }
        watch([alice], by: watcher)
        _ = self.loop(loop)
        loop.acquaintanceChanged(of: bob, with: alice)
        early.succeed([alice])
        relay.run()
        #expect(told(watcher).isEmpty)
    }

    @Test("However often it is said that something changed, one question is under way")
    func flood() {
        let loop = loop(relay.loop)
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        _ = relay.greet(alice)
        let watcher = relay.greet(bob)
        var questions: [EventLoopPromise<Set<UserID>>] = []
        let eventLoop = relay.eventLoop
        loop.acquaintances = { _, _ in
            questions.append(eventLoop.makePromise())
            return questions[questions.count - 1].futureResult
        }
        watch([alice], by: watcher)
        for _ in 0..<1_000 { loop.received(.acquaintance(alice), on: .user(bob)) }
        #expect(questions.count == 1)
        questions[0].succeed([alice])
        relay.run()
        #expect(questions.count == 2 && told(watcher).isEmpty, "its answer is older than what was said")
        questions[1].succeed([alice])
        relay.run()
        #expect(questions.count == 2 && told(watcher) == [Told(user: 1, isOnline: true)])
    }

    @Test("After a block typing is not shown any more, at once")
    func typing() {
        let loop = loop(relay.loop)
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        circle.acquainted = [[alice, bob]]
        let (typist, reader) = (relay.greet(alice), relay.greet(bob))
        func isShown() -> Bool {
            typist.send { $0.typing.conversation = ConversationID(between: alice, and: bob)?.description ?? "" }
            return reader.frames().contains { if case .typing = $0 { true } else { false } }
        }
        #expect(isShown())
        circle.acquainted = []
        loop.announceAcquaintance(of: bob, and: alice)
        relay.run()
        #expect(!isShown())
        circle.acquainted = [[alice, bob]]
        loop.announceAcquaintance(of: bob, and: alice)
        relay.run()
        #expect(isShown())
    }

    @Test("Who goes after connections to six loops of three nodes is told of once")
    func toldOnce() {
        let nodes = [relay.node, relay.addNode("b").node, relay.addNode("c").node]
        let loops = nodes.flatMap { node in (0..<2).map { _ in relay.addLoop(to: node) } }
        let (alice, bob) = (relay.addUser(1, devices: [1, 2]), relay.addUser(2))
        circle.acquainted = [[alice, bob]]
        let watcher = relay.greet(alice, on: loop(relay.loop))
        watch([bob], by: watcher)
        #expect(told(watcher) == [Told(user: 2, isOnline: false)])
        for loop in loops {
            let client = relay.greet(bob, on: loop)
            client.channel.close(promise: nil)
            relay.run()
        }
        #expect(told(watcher) == [Told(user: 2, isOnline: true)])
        let went = UInt64(relay.clock.now.milliseconds)
        relay.advance(seconds: Limits.Presence.offlineDebounceSeconds + 2)
        let after = told(watcher)
        #expect(after.count == 1 && after.first?.isOnline == false && after.first.map { $0.lastSeen >= went } == true)
        // A second one who begins to watch is told, the first is not told again.
        let second = relay.greet(alice, device: 2)
        watch([bob], by: second)
        #expect(told(second) == after && told(watcher).isEmpty)
        // An emptied registry does not make him somebody who was never seen.
        relay.cluster.empty()
        relay.loop.registerAll()
        #expect(told(watcher).isEmpty)
    }

    @Test("What the bus says of presence is looked up, once at a time: it may be late, or a lie")
    func lookedUp() {
        let late = LatePresence(InMemoryPresenceRegistry(relay.cluster))
        let loop = loop(
            relay.addLoop(
                to: RelayNode(settings: relay.node.settings, metrics: relay.node.metrics), presence: late))
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        circle.acquainted = [[alice, bob]]
        let watcher = relay.greet(alice, on: loop)
        watch([bob], by: watcher)
        #expect(told(watcher) == [Told(user: 2, isOnline: false)])
        loop.received(.presence(bob, .online), on: .watch(bob))
        #expect(told(watcher).isEmpty, "he is not")

        late.hold()
        let asked = late.questions
        for _ in 0..<1_000 { loop.received(.presence(bob, .online), on: .watch(bob)) }
        #expect(late.questions == asked + 1)
        _ = relay.greet(bob)
        late.release()
        #expect(told(watcher).last == Told(user: 2, isOnline: true), "the held answer was of before he came")
        #expect(late.questions == asked + 2)
    }

    @Test("Presence that nobody told of is found by the sweep, so many a second, and told once")
    func unpublished() {
        _ = loop(relay.loop)
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        circle.acquainted = [[alice, bob]]
        let watcher = relay.greet(alice)
        watch([bob], by: watcher)
        #expect(told(watcher) == [Told(user: 2, isOnline: false)])
        InMemoryPresenceRegistry(relay.cluster).heartbeat([bob], at: relay.clock.now) { _ in }
        relay.advance(seconds: Limits.Node.backstopMaximumSeconds + 1)
        #expect(told(watcher) == [Told(user: 2, isOnline: true)])
        #expect(relay.loop.watch.uncheckedCount == 0 && relay.loop.watch.uncheckedWatcherCount == 0)
        let queries = Limits.Presence.recheckedPerSecond
        for number in 0..<UInt64(queries) {
            _ = relay.loop.watch.add(watcher.handler.id, to: UserID(rawValue: 100 + number))
        }
        relay.loop.watch.recheck(Array(repeating: watcher.handler.id, count: queries + 1))
        relay.loop.recheckSomePresence()
        #expect(relay.loop.watch.uncheckedCount == 1 && relay.loop.watch.uncheckedWatcherCount == 1)
    }

    @Test("A reader whose socket is full is told what it missed when there is room, and of a block whatever waits")
    func slowReader() {
        let loop = loop(relay.loop)
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        circle.acquainted = [[alice, bob]]
        let watcher = relay.greet(alice)
        watch([bob], by: watcher)
        #expect(told(watcher) == [Told(user: 2, isOnline: false)])
        watcher.setWritable(false)
        _ = relay.greet(bob)
        #expect(told(watcher).isEmpty)
        watcher.setWritable(true)
        relay.advance(seconds: 1)
        #expect(told(watcher) == [Told(user: 2, isOnline: true)])
        watcher.setWritable(false)
        circle.acquainted = []
        loop.announceAcquaintance(of: alice, and: bob)
        relay.run()
        #expect(told(watcher) == [Told(user: 2, isOnline: false)])
    }
}

/// Who is acquainted with whom.
private final class Circle {
    /// Pairs, in either order.
    var acquainted: Set<Set<UserID>> = []
    var failure: StoreError?
}

@available(*, unavailable) extension Circle: Sendable {}

/// Answers what was true when it was asked, later.
private final class LatePresence: PresenceRegistry {
    private let inner: InMemoryPresenceRegistry
    private var isHeld = false
    private(set) var questions = 0
    private var answers: [() -> Void] = []

    init(_ inner: InMemoryPresenceRegistry) { self.inner = inner }

    func hold() { isHeld = true }

    func release() {
        isHeld = false
        let due = answers
        answers = []
        for answer in due { answer() }
    }

    func heartbeat(_ users: [UserID], at now: Timestamp, completion: @escaping ([UserID]?) -> Void) {
        inner.heartbeat(users, at: now, completion: completion)
    }

    func leave(_ users: [UserID], at now: Timestamp, completion: @escaping ([UserID]?) -> Void) {
        inner.leave(users, at: now, completion: completion)
    }

    func presence(of users: [UserID], completion: @escaping ([UserID: Presence]?) -> Void) {
        questions += 1
        inner.presence(of: users) { answer in
            if self.isHeld { self.answers.append { completion(answer) } } else { completion(answer) }
        }
    }
}

@available(*, unavailable) extension LatePresence: Sendable {}
