import BatonCore
import Testing

@testable import BatonNode

@Suite("A node's incarnation")
struct IncarnationTests {
    private let now = Timestamp(milliseconds: 1_000)

    @Test("It is the time of the start, and later than the start that holds the lease, whatever the clock says")
    func next() {
        #expect(Incarnation.next(at: now, held: nil) == 1_000)
        #expect(Incarnation.next(at: now, held: 999) == 1_000)
        #expect(Incarnation.next(at: now, held: 1_000) == 1_001)
        #expect(Incarnation.next(at: now, held: 9_000) == 9_001)
        #expect(Incarnation.next(at: now, held: .max) == .max)
        #expect(Incarnation.next(at: Timestamp(milliseconds: -1), held: nil) == 0)
    }
}
