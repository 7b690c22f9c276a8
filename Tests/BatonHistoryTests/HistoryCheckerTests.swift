import BatonHistory
import Foundation
import Testing

@Suite("The checker of histories")
struct HistoryCheckerTests {
    @Test("A conversation in which everything arrived once and in order is sound")
    func sound() throws {
        var run = HistoryBuilder("a1", "b1", "b2")
        run.exchange("r1", body: 1, at: 1)
        run.applied("b2", 1, from: "a1", "r1", body: 1)
        run.invoked("b1", "r1", body: 1)
        run.accepted("b1", "r1", at: 2)
        // A user with two devices gets the own message as an event, on the sending device too.
        run.applied("b1", 2, from: "b1", "r1", body: 1)
        run.applied("b2", 2, from: "b1", "r1", body: 1)
        run.applied("a1", 2, from: "b1", "r1", body: 1)
        run.receipt("b1", of: "ann", delivered: 2)
        run.receipt("b2", of: "ann", delivered: 2)
        run.read("b2", 1)
        run.receipt("a1", of: "bob", delivered: 1, read: 1)

        let verdict = HistoryChecker.check(try run.histories)
        #expect(verdict.counts.isEmpty)
        #expect(verdict.accepted == 2)
        #expect(verdict.delivered == 4)
    }

    @Test("A message that was refused, or whose fate is unknown, need not arrive")
    func refused() throws {
        var run = HistoryBuilder("a1", "b1")
        run.invoked("a1", "r1", body: 1)
        run.add(.failed(ref: "r1", code: "blocked"), to: "a1")
        run.invoked("a1", "r2", body: 2)
        run.add(.unknown(ref: "r2"), to: "a1")
        let verdict = HistoryChecker.check(try run.histories)
        #expect(verdict.isSound)
        #expect((verdict.accepted, verdict.failed, verdict.unknown) == (0, 1, 1))
    }

    @Test(
        "On one connection each entry of the inbox is sent once, and the next one after it",
        arguments: [([1, 2, 3], []), ([1, 1], [.duplicated]), ([2, 1], [.reordered]), ([1, 3], [.hole])]
            as [([UInt64], Set<Invariant>)])
    func receptions(inbox: [UInt64], broken: Set<Invariant>) throws {
        var run = HistoryBuilder("b1")
        for entry in inbox { run.add(.received(inbox: entry, connection: 1), to: "b1") }
        #expect(try run.broken() == broken)
        // What the device did not acknowledge comes again on the next one.
        run.add(.received(inbox: 1, connection: 2), to: "b1")
        #expect(try run.broken() == broken)
    }

    @Test("An accepted message that a device of its recipient never applies is lost")
    func lost() throws {
        var run = HistoryBuilder("a1", "b1", "b2")
        run.exchange("r1", body: 1, at: 1)
        #expect(try run.broken() == [.lost])
        run.applied("b2", 1, from: "a1", "r1", body: 1)
        #expect(try run.broken().isEmpty)
    }

    @Test("An own message that another device of the sender never applies is lost")
    func lostOnOwnDevice() throws {
        var run = HistoryBuilder("a1", "a2", "b1")
        run.exchange("r1", body: 1, at: 1)
        run.receipt("a2", of: "bob", delivered: 1)
        #expect(try run.broken() == [.lost])
        run.applied("a2", 1, from: "a1", "r1", body: 1)
        #expect(try run.broken().isEmpty)
    }

    @Test("A message that is applied again is duplicated")
    func duplicated() throws {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        run.applied("b1", 1, from: "a1", "r1", body: 1)
        #expect(try run.broken() == [.duplicated])
    }

    @Test("An entry of the inbox that is applied again is duplicated")
    func duplicatedEntry() throws {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        run.invoked("a1", "r2", body: 2)
        run.accepted("a1", "r2", at: 2)
        var again = run
        run.applied("b1", 2, from: "a1", "r2", body: 2)
        again.applied("b1", 2, from: "a1", "r2", body: 2, inbox: 1)
        run.receipt("a1", of: "bob", delivered: 2)
        again.receipt("a1", of: "bob", delivered: 2)
        #expect(try run.broken().isEmpty)
        #expect(try again.broken() == [.duplicated])
        #expect(try again.proof(of: .duplicated) == ["b1:2", "b1:3"])
    }

    @Test("A conversation applied against its sequence is reordered")
    func reorderedSequence() throws {
        var run = HistoryBuilder("a1", "b1")
        for number in 1...2 as ClosedRange<UInt64> {
            run.invoked("a1", "r\(number)", body: number)
            run.accepted("a1", "r\(number)", at: number)
        }
        var reordered = run
        run.applied("b1", 1, from: "a1", "r1", body: 1)
        run.applied("b1", 2, from: "a1", "r2", body: 2)
        reordered.applied("b1", 2, from: "a1", "r2", body: 2)
        reordered.applied("b1", 1, from: "a1", "r1", body: 1)
        run.receipt("a1", of: "bob", delivered: 2)
        reordered.receipt("a1", of: "bob", delivered: 2)
        #expect(try run.broken().isEmpty)
        #expect(try reordered.broken() == [.reordered])
        #expect(try reordered.proof(of: .reordered) == ["b1:2", "b1:3"])
    }

    @Test("Messages of a device that stand in another order than they were sent are reordered")
    func reorderedSends() throws {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r2", body: 2, at: 1)
        run.exchange("r1", body: 1, at: 2)
        #expect(try run.broken() == [.reordered])
    }

    @Test("A message that its device had given up may stand anywhere")
    func lateAfterAll() throws {
        var run = HistoryBuilder("a1", "b1")
        run.invoked("a1", "r1", body: 1)
        run.add(.unknown(ref: "r1"), to: "a1")
        run.exchange("r2", body: 2, at: 1)
        run.applied("b1", 2, from: "a1", "r1", body: 1)
        #expect(try run.broken().isEmpty)
    }

    @Test("A message that stands before one accepted before it was sent is out of order, whoever sent them")
    func orderInverted() throws {
        var run = HistoryBuilder("a1", "b1")
        run.invoked("a1", "r1", body: 1)
        run.invoked("b1", "r9", body: 1)
        run.accepted("a1", "r1", at: 2)
        run.accepted("b1", "r9", at: 1)
        var inverted = HistoryBuilder("a1", "b1")
        inverted.invoked("a1", "r1", body: 1)
        inverted.accepted("a1", "r1", at: 2)
        inverted.invoked("b1", "r9", body: 1)
        inverted.accepted("b1", "r9", at: 1)
        for end in 0...1 {
            var history = end == 0 ? run : inverted
            history.applied("b1", 2, from: "a1", "r1", body: 1)
            history.applied("a1", 1, from: "b1", "r9", body: 1)
            history.receipt("a1", of: "bob", delivered: 2)
            history.receipt("b1", of: "ann", delivered: 1)
            #expect(try history.broken() == (end == 0 ? [] : [.orderInverted]))
            #expect(try history.proof(of: .orderInverted) == (end == 0 ? [] : ["a1:3", "b1:2", "b1:3"]))
        }
    }

    @Test("An entry of the inbox that is passed over is a hole")
    func inboxHole() throws {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        run.invoked("a1", "r2", body: 2)
        run.accepted("a1", "r2", at: 2)
        run.applied("b1", 2, from: "a1", "r2", body: 2, inbox: 3)
        run.receipt("a1", of: "bob", delivered: 2)
        #expect(try run.broken() == [.hole])
        #expect(try run.proof(of: .hole) == ["b1:2", "b1:3"])
    }

    @Test("A place that nobody knows and that is passed over is a hole")
    func hole() throws {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        run.exchange("r2", body: 2, at: 3)
        #expect(try run.broken() == [.hole])
    }

    @Test("A device passes over its own messages, also those of which it never heard again")
    func ownPlaces() throws {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        run.invoked("b1", "r9", body: 1)
        run.exchange("r2", body: 2, at: 3)
        #expect(try run.broken().isEmpty)
    }

    @Test("A place that holds different messages on two devices has diverged")
    func diverged() throws {
        var run = HistoryBuilder("a1", "b1", "b2")
        run.exchange("r1", body: 1, at: 1)
        run.applied("b2", 1, from: "a1", "r1", body: 1)
        #expect(try run.broken().isEmpty)
        run.exchange("r2", body: 2, at: 2)
        run.invoked("a1", "r3", body: 3)
        run.applied("b2", 2, from: "a1", "r3", body: 3)
        // What b2 has there instead of r2 is no r2.
        #expect(try run.broken() == [.diverged, .lost])
    }

    @Test("A ref that is answered twice with the same place makes one message")
    func answeredTwice() throws {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        run.accepted("a1", "r1", at: 1)
        #expect(try run.broken().isEmpty)
        run.accepted("a1", "r1", at: 2)
        #expect(try run.broken() == [.refSplit])
        #expect(try run.proof(of: .refSplit) == ["a1:3", "a1:6"])
    }

    @Test("What was refused for good is not applied")
    func refusedApplied() throws {
        var run = HistoryBuilder("a1", "b1")
        run.invoked("a1", "r1", body: 1)
        run.add(.failed(ref: "r1", code: "blocked"), to: "a1")
        #expect(try run.broken().isEmpty)
        run.applied("b1", 1, from: "a1", "r1", body: 1)
        #expect(try run.broken() == [.refusedApplied])
        #expect(try run.proof(of: .refusedApplied) == ["a1:3", "b1:2"])
    }

    @Test("A ref that makes two messages is caught")
    func refSplit() throws {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        run.applied("b1", 2, from: "a1", "r1", body: 1)
        #expect(try run.broken() == [.refSplit])
    }

    @Test("A message that nobody sent, or that was sent with another content, is caught")
    func neverSent() throws {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        var ghost = run
        ghost.applied("b1", 2, from: "a1", "r7", body: 7)
        #expect(try ghost.broken() == [.neverSent])

        run.invoked("a1", "r2", body: 2)
        run.applied("b1", 2, from: "a1", "r2", body: 3)
        #expect(try run.broken() == [.neverSent])
    }

    @Test("A message of a device without a history cannot be judged")
    func foreignSender() throws {
        var run = HistoryBuilder("b1")
        run.applied("b1", 1, from: "a1", "r1", body: 1)
        #expect(try run.broken().isEmpty)
    }

    @Test(
        "A receipt that goes back, or says more than there is, is caught",
        arguments: [(1, 0), (2, 1), (1, 2), (3, 2)] as [(UInt64, UInt64)])
    func receiptWentBack(delivered: UInt64, read: UInt64) throws {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        run.exchange("r2", body: 2, at: 2)
        run.read("b1", 2)
        run.receipt("a1", of: "bob", delivered: 2, read: 2)
        #expect(try run.broken().isEmpty)
        run.receipt("a1", of: "bob", delivered: delivered, read: read)
        #expect(try run.broken().contains(.receiptWentBack))
    }

    @Test("A sender who never learns of a delivery, or of a read, is caught")
    func receiptIncomplete() throws {
        var run = HistoryBuilder("a1", "b1")
        run.invoked("a1", "r1", body: 1)
        run.accepted("a1", "r1", at: 1)
        run.applied("b1", 1, from: "a1", "r1", body: 1)
        #expect(try run.broken() == [.receiptIncomplete])
        run.receipt("a1", of: "bob", delivered: 1)
        #expect(try run.broken().isEmpty)
        run.read("b1", 1)
        #expect(try run.broken() == [.receiptIncomplete])
        run.receipt("a1", of: "bob", delivered: 1, read: 1)
        #expect(try run.broken().isEmpty)
    }

    @Test("A device that is told to begin anew is caught")
    func resynced() throws {
        var run = HistoryBuilder("a1", "b1")
        run.add(.resync("epochChanged"), to: "b1")
        #expect(try run.broken() == [.resynced])
    }

    @Test("The proof of a breach names the lines that show it, and the text says so")
    func evidence() throws {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        run.applied("b1", 1, from: "a1", "r1", body: 1)
        let verdict = HistoryChecker.check(try run.histories)
        let proof = try #require(verdict.examples[.duplicated])
        #expect(proof.evidence.map { "\($0.name):\($0.line)" } == ["b1:2", "b1:3"])
        #expect(verdict.text.contains("b1 applied ann-bob.1 twice"))
        #expect(verdict.json.contains(#""verdict":"fail""#))
    }

    @Test("Histories without an accepted message are no proof of anything")
    func empty() throws {
        #expect(HistoryChecker.check(try HistoryBuilder("a1").histories).outcome == .inconclusive)
        #expect(HistoryChecker.check([]).outcome == .inconclusive)
    }
}
