import Testing

@testable import BatonNode

@Suite("Distributions")
struct DistributionTests {
    private let early = Distribution(bounds: [1, 2, 4], counts: [1, 1, 1, 1], sum: 1)
    private let late = Distribution(bounds: [1, 2, 4], counts: [1, 5, 9, 11], sum: 41)

    @Test("The difference of two moments is what came between")
    func difference() {
        let between = late.since(early)
        #expect(between == Distribution(bounds: [1, 2, 4], counts: [0, 4, 8, 10], sum: 40))
        #expect(between.mean == 4)
    }

    @Test("A node that started anew, or counts in other buckets, is taken whole")
    func anew() {
        #expect(early.since(late) == early)
        #expect(late.since(Distribution(bounds: [1, 3], counts: [0, 0, 0], sum: 0)) == late)
    }

    @Test("Quantiles lie within the bucket in which they fall")
    func quantiles() {
        let values = late.since(early)
        #expect(values.quantile(0) == 1)
        #expect(values.quantile(0.2) == 1.5)
        #expect(values.quantile(0.4) == 2)
        #expect(values.quantile(0.6) == 3)
        // Above the last bound nothing more is known.
        #expect(values.quantile(0.99) == 4)
        #expect(Distribution(bounds: [1], counts: [0, 0], sum: 0).quantile(0.5) == nil)
        #expect(Distribution(bounds: [], counts: [], sum: 0).quantile(0.5) == nil)
        #expect(Distribution(bounds: [1, 2], counts: [1], sum: 0).quantile(0.5) == nil)
    }

    @Test("Several nodes' values are one distribution")
    func merging() {
        #expect(early.merged(with: late).counts == [2, 6, 10, 12])
        let none = Distribution(bounds: [], counts: [], sum: 0)
        #expect(none.merged(with: late) == late)
        #expect(late.merged(with: none) == late)
    }
}
