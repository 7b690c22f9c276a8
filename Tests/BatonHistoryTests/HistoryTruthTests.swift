import BatonHistory
import Testing

@Suite("What the relay said, against what was true")
struct HistoryTruthTests {
    @Test("Delivered is told only after a device of that user has acknowledged")
    func delivered() throws {
        var run = HistoryBuilder("a1", "b1", "b2")
        run.invoked("a1", "r1", body: 1)
        run.accepted("a1", "r1", at: 1)
        run.applied("b1", 1, from: "a1", "r1", body: 1)
        run.applied("b2", 1, from: "a1", "r1", body: 1)
        var early = run
        run.add(.acked(inbox: 1), to: "b1")
        run.receipt("a1", of: "bob", delivered: 1)
        run.add(.acked(inbox: 1), to: "b2")
        early.receipt("a1", of: "bob", delivered: 1)
        early.add(.acked(inbox: 1), to: "b1")
        early.add(.acked(inbox: 1), to: "b2")
        #expect(try run.broken().isEmpty)
        #expect(try early.broken() == [.receiptUntruthful])
        // The receipt, and what made it true afterwards.
        #expect(try early.proof(of: .receiptUntruthful) == ["a1:4", "b1:3"])
    }

    @Test("Delivered is told of what was read, too, and of no own message")
    func deliveredByReading() throws {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        run.invoked("b1", "r1", body: 1)
        run.accepted("b1", "r1", at: 2)
        run.applied("a1", 2, from: "b1", "r1", body: 1)
        run.receipt("b1", of: "ann", delivered: 2)
        var own = run
        run.read("b1", 2)
        run.receipt("a1", of: "bob", delivered: 2, read: 2)
        #expect(try run.broken().isEmpty)
        own.receipt("a1", of: "bob", delivered: 2)
        #expect(try own.broken() == [.receiptUntruthful])
    }

    @Test("Read is told only after a device of that user has read so far")
    func read() throws {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        var early = run
        run.read("b1", 1)
        run.receipt("a1", of: "bob", delivered: 1, read: 1)
        early.receipt("a1", of: "bob", delivered: 1, read: 1)
        early.read("b1", 1)
        #expect(try run.broken().isEmpty)
        #expect(try early.broken() == [.receiptUntruthful])
        #expect(try early.proof(of: .receiptUntruthful) == ["a1:5", "b1:3"])
    }

    @Test("Receipts of a user without a history cannot be judged")
    func foreign() throws {
        var run = HistoryBuilder("a1")
        run.invoked("a1", "r1", body: 1)
        run.accepted("a1", "r1", at: 1)
        run.receipt("a1", of: "bob", delivered: 1, read: 1)
        #expect(try run.broken().isEmpty)
    }

    /// Two messages of ann's, one of bob's, and one more of ann's; bob has read the first.
    private static func conversation() -> HistoryBuilder {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        run.exchange("r2", body: 2, at: 2)
        run.invoked("b1", "r1", body: 1)
        run.accepted("b1", "r1", at: 3)
        run.applied("a1", 3, from: "b1", "r1", body: 1)
        run.receipt("b1", of: "ann", delivered: 3)
        run.exchange("r3", body: 3, at: 4)
        run.read("b1", 1)
        run.receipt("a1", of: "bob", delivered: 4, read: 1)
        return run
    }

    @Test("An unread count is that of the others' messages", arguments: [(1, false), (2, true), (3, false)])
    func unread(count: UInt64, isRight: Bool) throws {
        var run = Self.conversation()
        run.add(.unread(conversation: HistoryBuilder.conversation, count: count, read: 1, last: 4), to: "b1")
        #expect(try run.broken() == (isRight ? [] : [.unreadWrong]))
        #expect(try run.proof(of: .unreadWrong).count == (isRight ? 0 : 1))
    }

    @Test("What counts as read was read, and is not beyond the last message", arguments: [(2, 4), (5, 4), (.max, 0)])
    func unreadBeyond(read: UInt64, last: UInt64) throws {
        var run = Self.conversation()
        run.add(.unread(conversation: HistoryBuilder.conversation, count: 1, read: read, last: last), to: "b1")
        #expect(try run.broken() == [.unreadWrong])
    }

    @Test("When everything has settled the answer is of the latest state")
    func unreadLate() throws {
        var run = Self.conversation()
        let late = HistoryRecord.Event.unread(conversation: HistoryBuilder.conversation, count: 2, read: 0, last: 3)
        run.add(late, to: "b1")
        #expect(try run.broken(withCluster: true).isEmpty)
        run.cluster(.stage(.settled))
        run.add(late, to: "b1")
        #expect(try run.broken() == [.unreadWrong])
    }
}
