import Testing

@testable import BatonChaos
@testable import BatonHistory

@Suite("Scales, grids and numbers of the report")
struct PlotTests {
    @Test("A linear scale begins at zero and ends at a round number above every value")
    func linear() {
        let scale = PlotScale.linear([3, 87, 12])
        #expect(scale.ticks == [0, 50, 100])
        #expect(scale.position(0) == 0 && scale.position(50) == 0.5 && scale.position(100) == 1)
        #expect(scale.position(1_000) == 1 && scale.position(-5) == 0)
        #expect(PlotScale.linear([]).ticks.last == 1)
        #expect(PlotScale.linear([.nan, .infinity, 7]).ticks == [0, 2, 4, 6, 8])
        for top in [1e-9, 0.3, 1, 999, 1_000, 123_456, 1e15] {
            let scale = PlotScale.linear([top], atLeast: 1e-12)
            #expect((2...9).contains(scale.ticks.count))
            #expect(scale.ticks.last.map { $0 >= top * 0.999 } == true)
        }
    }

    @Test("A logarithmic scale goes from a power of ten to another, whatever the values are")
    func logarithmic() {
        let scale = PlotScale.logarithmic([4, 900])
        #expect(scale.ticks == [1, 10, 100, 1_000])
        #expect(scale.position(1) == 0 && scale.position(1_000) == 1)
        #expect(abs(scale.position(100) - 2.0 / 3) < 1e-9)
        #expect(scale.position(0) == 0 && scale.position(1e9) == 1 && scale.position(.infinity) == 1)
        #expect(PlotScale.logarithmic([]).ticks.count == 2)
        #expect(PlotScale.logarithmic([0, -1, .nan]).ticks.count == 2)
        #expect(PlotScale.logarithmic([1e-300, 1e300]).ticks.count <= 13)
    }

    @Test("A grid has few parts, however long the run is, and one where it has no length")
    func grids() {
        for seconds in [0, 1, 20, 100, 3_600, 86_400, 40_000_000] as [Int64] {
            let grid = TimeGrid(from: 5, to: 5 + seconds * 1_000_000_000)
            #expect((1...TimeGrid.mostParts).contains(grid.count))
            #expect(grid.contains(5 + seconds * 1_000_000_000))
            #expect(grid.part(Moment.last) == grid.count - 1 && grid.part(0) == 0)
        }
        #expect(TimeGrid(from: 0, to: Moment.last).count <= TimeGrid.mostParts)
        #expect(TimeGrid(from: 9, to: 3).count == 1)
    }

    @Test("Levels are the highest of each part; what came and went at once was never there")
    func levels() {
        let grid = TimeGrid(from: 0, to: 999_000_000)
        let quarter: Int64 = 250_000_000
        #expect(grid.count == 4)
        #expect(grid.levels([(0, 1), (10, 1), (20, -1), (2 * quarter, -1)]) == [2, 1, 1, 0])
        #expect(grid.levels([(5, 1), (5, -1)]) == [0, 0, 0, 0])
        #expect(grid.levels([(3 * quarter, 1), (100 * quarter, 5)]) == [0, 0, 0, 1])
        #expect(grid.counts([-1, 0, 1, quarter, 100 * quarter]) == [2, 1, 0, 0])
    }

    @Test("A sample holds until the next one, and not where nothing could be seen")
    func samples() {
        let grid = TimeGrid(from: 0, to: 1_999_000_000)
        let half: Int64 = 500_000_000
        #expect(grid.width == half / 2)
        #expect(grid.maxima([(0, 4), (10, 6), (half, nil), (2 * half, 5)]) == [6, 6, nil, nil, 5, 5, 5, 5])
        #expect(grid.maxima([]).allSatisfy { $0 == nil })
    }

    @Test("Percentiles are values that occurred")
    func percentiles() {
        #expect(Percentiles([]) == nil)
        #expect(Percentiles([7]).map { [$0.p50, $0.p99, $0.max] } == [7, 7, 7])
        #expect(
            Percentiles((1...200).map(Double.init).shuffled()).map { [$0.p50, $0.p99, $0.max] } == [100, 198, 200])
    }

    @Test("Numbers are written as people read them")
    func numbers() {
        #expect(Reading.count(1_234_567) == "1,234,567")
        #expect([0.0, 4.25, 99.96, 12_345, 2_500_000].map(Reading.short) == ["0", "4.25", "100", "12.3k", "2.5M"])
        #expect(
            [0, 0.25, 820.4, 1_500, 125_000, 7_500_000].map(Reading.milliseconds)
                == ["0", "0.25 ms", "820 ms", "1.5 s", "2 min 5 s", "2 h 5 min"])
        #expect(Reading.moment(65_000_000_000) == "1:05")
        #expect(Reading.moment(-1_540_000_000, tenths: true) == "-0:01.5")
        #expect(Reading.moment(3_600_000_000_000) == "1:00:00")
        #expect(Markup.number(12.04) == "12" && Markup.number(-0.5) == "-0.5" && Markup.number(.nan) == "0")
        #expect(Markup.number(1e300) == "99999999")
    }

    @Test("Faults that overlap stand in lanes of their own, and however many there are, few are drawn")
    func lanes() {
        func lanes(_ spans: [(Double, Double)], targets: Int = 1) -> FaultLanes {
            let faults = spans.enumerated().map { number, span in
                FaultSpan(
                    number: number, kind: "node", target: "n\(number % targets)", what: "", began: Int64(span.0),
                    healed: Int64(span.1))
            }
            return FaultLanes(faults, RecoveryTimes([], faults: faults), right: 1_000, x: { Double($0) }) {
                "#\($0.number)"
            }
        }
        let three = lanes([(0, 300), (100, 200), (250, 400), (500, 600)])
        #expect(three.targets.map { $0.lanes.map(\.count) } == [[2, 2]])
        let many = lanes((0..<20_000).map { (Double($0) / 20, Double($0) / 20 + 50) }, targets: 3)
        #expect(many.targets.count == 3 && many.targets.allSatisfy { $0.lanes.count <= 3 })
        let items = many.targets.flatMap(\.lanes).flatMap(\.self)
        #expect(items.count < 300)
        #expect(items.reduce(0) { $0 + $1.more + 1 } == 20_000)
        #expect(lanes((0..<500).map { (Double($0), Double($0)) }, targets: 500).targets.count == 25)
    }
}
