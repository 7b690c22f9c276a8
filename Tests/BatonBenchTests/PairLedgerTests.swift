import Testing

@testable import BatonBench

@Suite("What was promised and what came")
struct PairLedgerTests {
    @Test("Accepted and not delivered is lost, in whatever order the two are heard of")
    func lost() {
        var ledger = PairLedger()
        ledger.delivered(0)
        for number in UInt32(0)...100 { ledger.accepted(number) }
        for number in UInt32(1)...99 { ledger.delivered(number) }
        #expect(ledger.lost == 1)
        ledger.delivered(100)
        #expect(ledger.lost == 0)
        #expect(ledger.duplicated == 0 && ledger.reordered == 0)
    }

    @Test("A message that comes again is a duplicate, one that comes after a later one is out of order")
    func duplicatesAndOrder() {
        var ledger = PairLedger()
        for number: UInt32 in [0, 2, 1, 1, 3] { ledger.delivered(number) }
        #expect(ledger.duplicated == 1)
        #expect(ledger.reordered == 1)
    }

    @Test("Numbers that nobody sent do not grow the set")
    func foreignNumbers() {
        var set = NumberSet()
        let isNew = set.insert(.max)
        #expect(isNew)
        #expect(set.subtracting(NumberSet()) == 0)
    }
}
