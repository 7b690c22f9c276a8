import BatonCore
import Testing

@Suite struct StandstillTests {
    private let bound = Limits.Node.standstillSeconds * 1_000

    @Test("A process that ticks did not stand still, however late a tick comes within the bound")
    func ticking() {
        var standstill = Standstill()
        #expect(!standstill.isRecent(at: 0))
        var now: Int64 = 0
        for step in [1_000, bound - 1, 1_000] {
            now += step
            standstill.ticked(at: now)
            #expect(!standstill.isRecent(at: now))
            #expect(!standstill.isRecent(at: now + bound - 1))
        }
    }

    @Test("It is found before the first tick after it, and remembered for as long as the bound")
    func stopped() {
        var standstill = Standstill()
        standstill.ticked(at: 1_000)
        #expect(standstill.isRecent(at: 1_000 + bound))
        let woke = 900_000 as Int64
        #expect(standstill.isRecent(at: woke))
        standstill.ticked(at: woke)
        for second in stride(from: 0, to: bound, by: 1_000) {
            standstill.ticked(at: woke + second)
            #expect(standstill.isRecent(at: woke + second))
        }
        standstill.ticked(at: woke + bound)
        #expect(!standstill.isRecent(at: woke + bound))
    }
}
