import BatonCore
import Testing

@testable import BatonNode

@Suite("What a node's canary proves")
struct CanaryJudgeTests {
    private let partner = UserID(rawValue: 1)
    private let other = UserID(rawValue: 2)

    private func node(_ name: String) throws -> NodeID { try #require(NodeID(name)) }

    private func judge() -> CanaryJudge { CanaryJudge(bound: .seconds(20), startedAt: .zero) }

    private func at(_ number: UInt64) -> ConversationSequence { ConversationSequence(rawValue: number) }

    @Test("Nothing is proven before the first delivery, and after the bound its lack is a failure")
    func start() {
        let judge = judge()
        #expect(judge.verdict(at: .seconds(20)).standing == .unproven)
        #expect(judge.verdict(at: .seconds(21)).standing == .failing)
    }

    @Test("A message is delivered when its receipt comes, and not when it is accepted")
    func delivery() {
        var judge = judge()
        #expect(judge.sent("a", to: .local, user: partner, at: .seconds(1)).isEmpty)
        #expect(judge.accepted("a", as: at(7), at: .seconds(2)).isEmpty)
        #expect(judge.verdict(at: .seconds(2)).standing == .unproven)
        #expect(judge.received(partner, upTo: at(6), at: .seconds(2)).isEmpty)
        #expect(judge.received(other, upTo: at(7), at: .seconds(2)).isEmpty)
        let delivered = judge.received(partner, upTo: at(7), at: .seconds(3))
        #expect(delivered == [CanaryJudge.Delivery(target: .local, latency: .seconds(2))])
        #expect(judge.verdict(at: .seconds(3)).standing == .delivering)
    }

    @Test("A receipt that comes before the answer counts when the answer comes")
    func receiptFirst() {
        var judge = judge()
        _ = judge.sent("a", to: .local, user: partner, at: .zero)
        #expect(judge.received(partner, upTo: at(3), at: .seconds(1)).isEmpty)
        #expect(judge.accepted("a", as: at(3), at: .seconds(2)).count == 1)
    }

    @Test("An answer that is heard before its message is known is kept, so many at most")
    func answerFirst() {
        var judge = judge()
        let bound = Limits.Canary.undelivered * (Limits.Canary.peers + 1)
        for number in 0...bound { _ = judge.accepted("r\(number)", as: at(1), at: .zero) }
        _ = judge.sent("r\(bound)", to: .local, user: partner, at: .zero)
        #expect(judge.received(partner, upTo: at(1), at: .zero).isEmpty, "one too many was kept")
        #expect(judge.sent("r0", to: .local, user: partner, at: .zero).count == 1)
    }

    @Test("One watermark delivers all that is below it")
    func watermark() {
        var judge = judge()
        for number in 1...3 {
            _ = judge.sent("\(number)", to: .local, user: partner, at: .seconds(number))
            _ = judge.accepted("\(number)", as: at(UInt64(number)), at: .seconds(number))
        }
        #expect(judge.received(partner, upTo: at(2), at: .seconds(4)).map(\.latency) == [.seconds(3), .seconds(2)])
    }

    @Test("So many wait for one target, and no more are sent to it until one arrives")
    func bound() {
        var judge = judge()
        for number in 0..<Limits.Canary.undelivered {
            #expect(judge.maySend(to: .local))
            _ = judge.sent("\(number)", to: .local, user: partner, at: .zero)
        }
        #expect(!judge.maySend(to: .local))
        _ = judge.accepted("0", as: at(1), at: .zero)
        _ = judge.received(partner, upTo: at(1), at: .zero)
        #expect(judge.maySend(to: .local))
    }

    @Test("A node that is not reached for the bound is named, and is not once a message arrives")
    func unreachable() throws {
        let n2 = try node("n2")
        var judge = judge()
        _ = judge.sent("a", to: .node(n2), user: other, at: .zero)
        _ = judge.accepted("a", as: at(1), at: .zero)
        #expect(judge.verdict(at: .seconds(20)).unreachable.isEmpty)
        #expect(judge.verdict(at: .seconds(21)).unreachable == [n2])
        #expect(judge.received(other, upTo: at(1), at: .seconds(22)).count == 1)
        #expect(judge.verdict(at: .seconds(22)).unreachable.isEmpty)
    }

    @Test("Whoever reaches another node but not itself delivers")
    func anywhere() throws {
        var judge = judge()
        _ = judge.sent("a", to: .local, user: partner, at: .zero)
        _ = judge.sent("b", to: .node(try node("n2")), user: other, at: .seconds(29))
        _ = judge.accepted("b", as: at(1), at: .seconds(29))
        _ = judge.received(other, upTo: at(1), at: .seconds(30))
        #expect(judge.verdict(at: .seconds(31)).standing == .delivering)
    }

    @Test("After the bound without a delivery the node fails, and delivers again with the next one")
    func silence() {
        var judge = judge()
        _ = judge.sent("a", to: .local, user: partner, at: .zero)
        _ = judge.accepted("a", as: at(1), at: .zero)
        _ = judge.received(partner, upTo: at(1), at: .seconds(1))
        _ = judge.sent("b", to: .local, user: partner, at: .seconds(5))
        #expect(judge.verdict(at: .seconds(21)).standing == .delivering)
        #expect(judge.verdict(at: .seconds(22)).standing == .failing)
        #expect(judge.verdict(at: .seconds(22)).silence == .seconds(21))
        _ = judge.accepted("b", as: at(2), at: .seconds(30))
        _ = judge.received(partner, upTo: at(2), at: .seconds(30))
        #expect(judge.verdict(at: .seconds(30)).standing == .delivering)
    }

    @Test("A node whose lease has ended is no failure")
    func lease() throws {
        let (n2, n3) = (try node("n2"), try node("n3"))
        var judge = judge()
        _ = judge.sent("a", to: .node(n2), user: other, at: .zero)
        _ = judge.sent("b", to: .node(n3), user: partner, at: .zero)
        judge.keep([n3])
        #expect(judge.verdict(at: .seconds(60)).unreachable == [n3])
        #expect(judge.failures(at: .seconds(60)) == [.node(n3)])
    }

    @Test("What fails is counted once")
    func failures() throws {
        let n2 = try node("n2")
        var judge = judge()
        for ref in ["a", "b"] { _ = judge.sent(ref, to: .node(n2), user: other, at: .zero) }
        #expect(judge.failures(at: .seconds(20)).isEmpty)
        #expect(judge.failures(at: .seconds(21)) == [.node(n2), .node(n2)])
        #expect(judge.failures(at: .seconds(40)).isEmpty)
    }

    @Test("A refusal takes the message out, and says whom it was for")
    func refusal() {
        var judge = judge()
        _ = judge.sent("a", to: .local, user: partner, at: .zero)
        #expect(judge.refused("a") == .local)
        #expect(judge.refused("a") == nil)
        #expect(judge.failures(at: .seconds(60)).isEmpty)
    }

    @Test("Without the bus for longer than the bound, and while others have it, a node is cut off from those")
    func cutOff() throws {
        let (n2, n3) = (try node("n2"), try node("n3"))
        var judge = judge()
        // Who has the bus does not ask, and an answer that comes too late says nothing.
        judge.othersHaveBus([n2])
        judge.bus(isThere: false, at: .seconds(10))
        #expect(judge.verdict(at: .seconds(60)).cutOffFrom.isEmpty)
        judge.othersHaveBus([n3, n2])
        judge.bus(isThere: false, at: .seconds(11))
        #expect(judge.verdict(at: .seconds(30)).cutOffFrom.isEmpty)
        #expect(judge.verdict(at: .seconds(31)).cutOffFrom == [n2, n3])
        // The last answer counts: they may have lost it a moment later.
        judge.othersHaveBus([])
        #expect(judge.verdict(at: .seconds(33)).cutOffFrom.isEmpty)
        judge.othersHaveBus([n2])
        #expect(judge.verdict(at: .seconds(34)).cutOffFrom == [n2])
        judge.bus(isThere: true, at: .seconds(60))
        #expect(judge.verdict(at: .seconds(60)).cutOffFrom.isEmpty)
        judge.bus(isThere: false, at: .seconds(61))
        judge.othersHaveBus([n2])
        #expect(judge.verdict(at: .seconds(81)).cutOffFrom.isEmpty)
        #expect(judge.verdict(at: .seconds(82)).cutOffFrom == [n2])
    }

    @Test("Of many nodes out of reach so many are named")
    func names() throws {
        var judge = judge()
        for number in 0...Limits.Canary.namedNodes {
            let target = CanaryJudge.Target.node(try node("n\(number)"))
            _ = judge.sent("\(number)", to: target, user: UserID(rawValue: UInt64(number) + 10), at: .zero)
        }
        #expect(judge.verdict(at: .seconds(60)).unreachable.count == Limits.Canary.namedNodes)
        judge.bus(isThere: false, at: .zero)
        judge.othersHaveBus(try (0...Limits.Canary.namedNodes).map { try node("n\($0)") })
        #expect(judge.verdict(at: .seconds(60)).cutOffFrom.count == Limits.Canary.namedNodes)
    }
}
