import BatonHistory
import Testing

@Suite("Who is told that somebody types")
struct HistoryTypingTests {
    private static let showing = HistoryRecord.Event.typed(
        conversation: HistoryBuilder.conversation, recipients: ["bob"], isActive: true)
    private static let notice = HistoryRecord.Event.typing(
        conversation: HistoryBuilder.conversation, user: "ann", isActive: true)

    /// Two users who have written to each other.
    private static func acquainted() -> HistoryBuilder {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        run.exchange("r1", body: 1, at: 2, from: "b1")
        return run
    }

    @Test("An acquaintance may be told, or not")
    func allowed() throws {
        var run = Self.acquainted()
        run.add(Self.showing, to: "a1")
        #expect(try run.broken().isEmpty)
        run.add(Self.notice, to: "b1")
        #expect(try run.broken().isEmpty)
    }

    @Test("Nobody is told before it was so, of another state, or of another conversation")
    func untrue() throws {
        var early = Self.acquainted()
        early.add(Self.notice, to: "b1")
        early.add(Self.showing, to: "a1")
        #expect(try early.broken() == [.typingLeaked])
        #expect(try early.proof(of: .typingLeaked) == ["b1:6"])

        for wrong in [
            HistoryRecord.Event.typing(conversation: HistoryBuilder.conversation, user: "ann", isActive: false),
            .typing(conversation: "ann-cat", user: "ann", isActive: true),
            .typing(conversation: HistoryBuilder.conversation, user: "cat", isActive: true),
        ] {
            var run = Self.acquainted()
            run.add(Self.showing, to: "a1")
            run.add(wrong, to: "b1")
            #expect(try run.broken() == [.typingLeaked])
        }
    }

    @Test("A stranger is not told, who was only written to")
    func stranger() throws {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        run.add(Self.showing, to: "a1")
        run.add(Self.notice, to: "b1")
        #expect(try run.broken() == [.typingLeaked])
        run.exchange("r1", body: 1, at: 2, from: "b1")
        #expect(try run.broken() == [.typingLeaked])
        run.add(Self.notice, to: "b1")
        #expect(try run.verdict().count(.typingLeaked) == 1)
    }

    @Test("Behind a block nobody is told, whoever made it", arguments: ["a1", "b1"])
    func blocked(by blocker: String) throws {
        var run = Self.acquainted()
        run.add(.blocked(user: blocker == "a1" ? "bob" : "ann"), to: blocker)
        run.add(Self.showing, to: "a1")
        #expect(try run.broken().isEmpty)
        run.add(Self.notice, to: "b1")
        #expect(try run.broken() == [.typingLeaked])
    }

    @Test("Where it was shown before the block, nodes may believe it for a while", arguments: [60.0, 66.0])
    func believed(seconds: Double) throws {
        var run = Self.acquainted()
        run.add(Self.showing, to: "a1")
        run.add(.blocked(user: "ann"), to: "b1")
        run.wait(seconds: seconds)
        run.add(Self.showing, to: "a1")
        run.add(Self.notice, to: "b1")
        #expect(try run.broken() == (seconds < 65 ? [] : [.typingLeaked]))
    }
}
