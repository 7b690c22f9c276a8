import BatonCore
import NIOCore
import Testing

@testable import BatonGateway

/// The parts of an event loop, each by itself.
@Suite("Parts of a relay's loop")
struct LoopPartsTests {
    private static let alice = UserID(rawValue: 1)
    private static let bob = UserID(rawValue: 2)

    private static func operation(_ number: UInt64) -> StoreOperation {
        .acknowledge(
            AcknowledgeRequest(
                user: alice, device: DeviceID(rawValue: 1), position: InboxSequence(rawValue: number),
                at: Timestamp(milliseconds: 0)))
    }

    // MARK: CommitQueue

    @Test("What came in a tick is one batch, in its order, and its origins come back once")
    func batches() throws {
        var queue = CommitQueue<Int>()
        #expect(queue.take(isPatienceOver: true) == nil)
        for number in 1...3 { queue.add(Self.operation(UInt64(number)), for: number) }
        let takenFirst = queue.take(isPatienceOver: false)
        let first = try #require(takenFirst)
        #expect(first.operations == (1...3).map { Self.operation($0) })
        #expect(queue.take(isPatienceOver: true) == nil)
        queue.add(Self.operation(4), for: 4)
        let takenSecond = queue.take(isPatienceOver: false)
        let second = try #require(takenSecond)
        #expect(second.number != first.number && queue.batchesUnderWay == 2)
        #expect(queue.origins(of: first.number) == [1, 2, 3])
        #expect(queue.ended(second.number) == [4])
        #expect(queue.ended(first.number) == [1, 2, 3])
        #expect(queue.ended(first.number) == nil)
        #expect(queue.batchesUnderWay == 0)
    }

    @Test("What waits for company goes behind it, or alone when its time is up")
    func patience() throws {
        var queue = CommitQueue<Int>()
        #expect(queue.addPatiently(Self.operation(1), for: 1) == true)
        #expect(queue.addPatiently(Self.operation(2), for: 2) == false)
        #expect(queue.take(isPatienceOver: false) == nil)
        queue.add(Self.operation(3), for: 3)
        let taken = queue.take(isPatienceOver: false)
        let batch = try #require(taken)
        #expect(queue.ended(batch.number) == [3, 1, 2])
        #expect(queue.addPatiently(Self.operation(4), for: 4) == true)
        let takenAlone = queue.take(isPatienceOver: true)
        let alone = try #require(takenAlone)
        #expect(queue.ended(alone.number) == [4])
    }

    // MARK: UnpublishedHints

    @Test("Of each user the furthest head is kept, of so many users, until they are taken")
    func unpublished() {
        var hints = UnpublishedHints()
        hints.failed(InboxSequence(rawValue: 5), of: Self.alice)
        hints.failed(InboxSequence(rawValue: 3), of: Self.alice)
        for number in 2...UInt64(Limits.Node.unpublishedUsers) + 1 {
            hints.failed(InboxSequence(rawValue: 1), of: UserID(rawValue: number))
        }
        hints.failed(InboxSequence(rawValue: 6), of: Self.alice)
        #expect(hints.count == Limits.Node.unpublishedUsers)
        let taken = hints.take()
        #expect(taken[Self.alice] == InboxSequence(rawValue: 6))
        #expect(taken[UserID(rawValue: UInt64(Limits.Node.unpublishedUsers) + 1)] == nil)
        #expect(hints.count == 0)
    }

    // MARK: DepartingUsers

    private static func session(of user: UserID) throws -> Session {
        Session(
            user: user, device: DeviceID(rawValue: 1), node: try #require(NodeID("a")), incarnation: 1,
            generation: ConnectionGeneration(rawValue: 1), since: Timestamp(milliseconds: 0), client: "")
    }

    @Test("Who comes back in time has not left; who could not be announced is tried again, and was seen")
    func departures() throws {
        var departing = DepartingUsers()
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        departing.left(try Self.session(of: Self.alice), due: now + .seconds(5))
        departing.left(try Self.session(of: Self.bob), due: now + .seconds(5))
        departing.cameBack(Self.bob)
        #expect(departing.takeDue(now + .seconds(4)).isEmpty)
        let due = departing.takeDue(now + .seconds(5))
        #expect(Array(due.keys) == [Self.alice] && due[Self.alice]?.isSeen == false)
        #expect(departing.count == 0)
        departing.again(try #require(due[Self.alice]), due: now + .seconds(6), isSeen: true)
        #expect(departing.takeDue(now + .seconds(6))[Self.alice]?.isSeen == true)
    }

    @Test("Who left again since keeps that departure; so many are remembered")
    func departuresAreBounded() throws {
        var departing = DepartingUsers()
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        departing.left(try Self.session(of: Self.alice), due: now)
        let old = try #require(departing.takeDue(now)[Self.alice])
        departing.left(try Self.session(of: Self.alice), due: now + .seconds(9))
        departing.again(old, due: now, isSeen: true)
        #expect(departing.takeDue(now).isEmpty)
        #expect(departing.count == 1)
        departing.cameBack(Self.alice)
        for number in 0..<UInt64(Limits.Presence.unannouncedUsers) {
            departing.left(try Self.session(of: UserID(rawValue: 100 + number)), due: .distantFuture)
        }
        departing.again(old, due: now, isSeen: true)
        #expect(departing.count == Limits.Presence.unannouncedUsers)
        #expect(departing.takeDue(now).isEmpty)
    }

    // MARK: PresenceWatch

    @Test("The first watcher of a user and the last one are told apart from the others")
    func watchers() {
        var watch = PresenceWatch()
        let (one, two) = (ConnectionID(rawValue: 1), ConnectionID(rawValue: 2))
        #expect(watch.add(one, to: Self.bob) == true)
        #expect(watch.add(two, to: Self.bob) == false)
        #expect(watch.watchers(of: Self.bob) == [one, two] && watch.watchedUsers == [Self.bob])
        #expect(watch.remove(one, from: Self.bob) == false)
        #expect(watch.isWatched(Self.bob))
        #expect(watch.remove(two, from: Self.bob) == true)
        #expect(!watch.isWatched(Self.bob))
        #expect(watch.remove(two, from: Self.bob) == false)
    }

    @Test("Of a user one question is under way; what is asked meanwhile is asked once more, while somebody watches")
    func questions() {
        var watch = PresenceWatch()
        _ = watch.add(ConnectionID(rawValue: 1), to: Self.bob)
        #expect(watch.begin([Self.alice, Self.bob]) == [Self.alice, Self.bob])
        #expect(watch.begin([Self.alice, Self.bob]) == [])
        #expect(watch.begin([Self.bob]) == [])
        #expect(watch.ended([Self.alice, Self.bob], isAnswered: true) == [Self.bob])
        #expect(watch.begin([Self.bob]) == [Self.bob])
        #expect(watch.ended([Self.bob], isAnswered: true) == [])
    }

    @Test("What was not learned or told is asked again when it can be, of those who are still watched")
    func unknown() {
        var watch = PresenceWatch()
        _ = watch.add(ConnectionID(rawValue: 1), to: Self.bob)
        _ = watch.begin([Self.alice, Self.bob])
        _ = watch.ended([Self.alice, Self.bob], isAnswered: false)
        #expect(watch.takeUnknown(canAsk: false) == [])
        #expect(watch.takeUnknown(canAsk: true) == [Self.bob])
        #expect(watch.takeUnknown(canAsk: true) == [])
        watch.notTold(Self.bob)
        #expect(watch.takeUnknown(canAsk: true) == [Self.bob])
    }

    @Test("What is looked at again is so many a second, of those who are still watched")
    func looksAgain() {
        var watch = PresenceWatch()
        let all = (1...UInt64(Limits.Presence.recheckedPerSecond) + 1).map { UserID(rawValue: $0) }
        for user in all { _ = watch.add(ConnectionID(rawValue: 1), to: user) }
        watch.recheck([ConnectionID(rawValue: 1), ConnectionID(rawValue: 2)])
        for user in all.dropFirst() { _ = watch.remove(ConnectionID(rawValue: 1), from: user) }
        let seen = watch.takeUnchecked() + watch.takeUnchecked()
        #expect(seen == [all[0]] && watch.uncheckedCount == 0)
        #expect(watch.takeUncheckedWatcher() == ConnectionID(rawValue: 2))
        #expect(watch.takeUncheckedWatcher() == ConnectionID(rawValue: 1))
        #expect(watch.takeUncheckedWatcher() == nil)
    }

    // MARK: SenderBudgets

    /// Made where none is there, and at its limit: it owes what it has sent.
    private static func owing(_ budgets: inout SenderBudgets, _ user: UserID, at now: NIODeadline) -> UserBudget {
        let budget = budgets.budget(of: user) { SendBudget(SendLimits(), loops: 1) }
        _ = budget.rest.received(bytes: 1, at: now.milliseconds)
        return budget
    }

    @Test("Who left and owes nothing is forgotten at once, who owes is remembered, and comes back to the same budget")
    func budgetOfAbsent() {
        var budgets = SenderBudgets()
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        _ = budgets.budget(of: Self.alice) { SendBudget(SendLimits(), loops: 1) }
        let owed = Self.owing(&budgets, Self.bob, at: now)
        #expect(!owed.rest.isSettled(at: now.milliseconds))
        budgets.left(Self.alice, at: now)
        budgets.left(Self.bob, at: now)
        #expect(budgets.count == 1 && budgets.absentUsers == [Self.bob])
        let again = budgets.budget(of: Self.bob) { SendBudget(SendLimits(), loops: 1) }
        #expect(again === owed)
        let owing = budgets.forget(at: now) { _ in false }
        #expect(owing.count == 1 && owing.first === owed, "nothing is drawn for him by sending any more")
        #expect(budgets.forget(at: now) { $0 == Self.bob }.isEmpty)
        #expect(budgets.count == 1 && budgets.absentUsers.isEmpty, "he has a connection here")
    }

    @Test("A budget that was charged without a connection is kept for its time, of so many users")
    func budgetOfSubmission() {
        var budgets = SenderBudgets()
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        func submit(_ number: UInt64, at moment: NIODeadline) {
            let budget = budgets.budget(of: UserID(rawValue: 100 + number)) { SendBudget(SendLimits(), loops: 1) }
            budgets.submitted(budget, isHere: false, at: moment)
        }
        let limit = Limits.Sending.absentUsers
        for number in 0..<UInt64(limit) { submit(number, at: now + .nanoseconds(Int64(number))) }
        #expect(budgets.count == limit)
        // One more: those who sent the longest ago go.
        let late = now + .seconds(1)
        submit(UInt64(limit), at: late)
        #expect(budgets.count == limit - limit / 8 + 1)
        #expect(!budgets.absentUsers.contains(UserID(rawValue: 100)))
        #expect(budgets.absentUsers.contains(UserID(rawValue: 100 + UInt64(limit))))
        let kept = TimeAmount.seconds(Limits.Sending.keptSeconds)
        #expect(budgets.forget(at: late + kept - .nanoseconds(1)) { _ in false }.isEmpty)
        #expect(budgets.count == 1)
        #expect(budgets.forget(at: late + kept) { _ in false }.isEmpty)
        #expect(budgets.count == 0 && budgets.absentUsers.isEmpty)
    }

    // MARK: InboxReads

    @Test("So many reads are under way; the others begin in their order, each when one has ended")
    func reads() {
        var reads = InboxReads()
        func read(_ number: Int) -> InboxReads.Read { .page(Self.alice, after: .zero, limit: number, bytes: 1) }
        let limit = Limits.Node.drainsInFlight
        for number in 0..<limit { #expect(reads.begin(read(number), for: ConnectionID(rawValue: 1)) == true) }
        for number in 1...3 {
            #expect(reads.begin(read(number), for: ConnectionID(rawValue: UInt64(number))) == false)
        }
        #expect(reads.waitingCount == 3)
        reads.forget { $0 == ConnectionID(rawValue: 1) }
        for number in 2...3 {
            let next = reads.ended()
            #expect(next?.0 == ConnectionID(rawValue: UInt64(number)) && next?.1 == read(number))
        }
        #expect(reads.ended() == nil)
        #expect(reads.begin(read(4), for: ConnectionID(rawValue: 4)) == true, "there is room for one")
        #expect(reads.begin(read(5), for: ConnectionID(rawValue: 5)) == false)
    }

    // MARK: LocalConnections

    @Test("A user's first connection asks for the subscription, the next wait for it, later ones do not")
    func greetings() {
        let relay = RelayFixture()
        let user = relay.addUser(1, devices: [1, 2, 3])
        let handlers = (1...3).map { relay.connect(user, device: $0).handler }
        var connections = LocalConnections()
        for handler in handlers { connections.add(handler) }
        #expect(connections.count == 3 && !connections.hasUser(user) && connections.of(user).isEmpty)
        let (first, second) = (connections.greeted(handlers[0]), connections.greeted(handlers[1]))
        #expect(first == .subscribe && second == .wait)
        handlers[0].phase = .opening
        let waited = connections.subscribed(user)
        #expect(waited.map(\.id) == [handlers[0].id], "the other one is about to close")
        let again = connections.subscribed(user)
        #expect(again.isEmpty)
        let third = connections.greeted(handlers[2])
        #expect(third == .ready)
        #expect(connections.of(user).map(\.id) == handlers.map(\.id) && connections.users == [user])
    }

    @Test("The last connection of a user ends the subscription; what had not said hello has none, and none ends twice")
    func removals() {
        let relay = RelayFixture()
        let user = relay.addUser(1, devices: [1, 2, 3])
        let handlers = (1...3).map { relay.connect(user, device: $0).handler }
        var connections = LocalConnections()
        for handler in handlers { connections.add(handler) }
        for handler in handlers.prefix(2) { _ = connections.greeted(handler) }
        _ = connections.subscribed(user)
        let removals = [2, 0, 0, 1].map { connections.remove(handlers[$0]) }
        #expect(removals == [.ungreeted, .others, .unknown, .last])
        #expect(connections.isEmpty && !connections.hasUser(user) && connections[handlers[1].id] == nil)
        connections.add(handlers[0])
        let back = connections.greeted(handlers[0])
        #expect(back == .subscribe, "the old subscription does not count")
    }

    @Test("Each connection is flushed once; those that write meanwhile are there for the next time")
    func flushes() {
        let relay = RelayFixture()
        let handlers = (1...2).map { relay.connect(relay.addUser($0)).handler }
        var queue = FlushQueue()
        let isNew = [0, 1, 0].map { queue.add(handlers[$0]) }
        #expect(isNew == [true, true, false])
        queue.noteAccepted()
        #expect(queue.holdsAccepted)
        let taken = queue.take()
        #expect(taken.map(\.id) == handlers.map(\.id) && !queue.holdsAccepted)
        taken[0].flush()
        let later = [0, 1].map { queue.add(handlers[$0]) }
        #expect(later == [true, false], "the other one is still to be flushed")
        let rest = queue.take()
        #expect(rest.map(\.id) == [handlers[0].id])
    }

    // MARK: WatchedUsers

    @Test("Of a wanted user one question is under way; a change meanwhile makes its answer worthless")
    func watchQuestions() {
        var watching = WatchedUsers()
        let stranger = UserID(rawValue: 9)
        _ = watching.want([Self.alice, Self.bob])
        let first = watching.begin(about: [Self.alice, Self.bob, stranger])
        #expect(first.users == [Self.alice, Self.bob], "nobody wants the stranger")
        let second = watching.begin(about: [Self.bob])
        #expect(second.users.isEmpty)
        let answer = watching.ended(first.number, about: first.users)
        #expect(answer.counts == [Self.alice] && answer.again == [Self.bob])
        let third = watching.begin(about: answer.again)
        let late = watching.ended(first.number, about: [Self.bob])
        #expect(late.counts.isEmpty && late.again.isEmpty, "that question has been answered")
        _ = watching.want([Self.alice])
        let unwanted = watching.ended(third.number, about: third.users)
        #expect(unwanted.counts.isEmpty && unwanted.again.isEmpty)
    }

    @Test("Who is wanted no more is returned once watched; whoever stays is told anew")
    func wanting() {
        var watching = WatchedUsers()
        _ = watching.want([Self.alice, Self.bob])
        let isNew = [Self.alice, Self.bob, Self.bob].map { watching.start($0) }
        #expect(isNew == [true, true, false])
        watching.tell(.online, of: Self.alice)
        #expect(watching.told(of: Self.alice) == .online && watching.told(of: Self.bob) == nil)
        let gone = watching.want([Self.alice])
        #expect(gone == [Self.bob] && watching.wanted == [Self.alice])
        #expect(watching.told(of: Self.alice) == nil)
        watching.tell(.online, of: Self.bob)
        watching.stop(Self.bob)
        #expect(watching.watched == [Self.alice] && watching.told(of: Self.bob) == nil)
        #expect(watching.wants(Self.alice) && !watching.wants(Self.bob))
    }

    @Test("What is believed of typing is believed until its time, or until somebody says that it changed")
    func typing() {
        var typing = TypingBeliefs()
        let (one, other) = (ConversationID(group: 1), ConversationID(group: 2))
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        typing.believe(in: one, isShown: true, until: now + .seconds(1))
        typing.believe(in: other, isShown: false, until: now + .seconds(2))
        #expect(typing.isShown(in: one, at: now) == true && typing.isShown(in: other, at: now) == false)
        #expect(typing.isShown(in: one, at: now + .seconds(1)) == nil)
        typing.forget(other)
        #expect(typing.isShown(in: other, at: now) == nil)
    }
}
