/// A stretch of time cut into equal parts, few enough to be drawn.
///
/// Whatever a run's length, a page of it has the same size.
struct TimeGrid: Hashable, Sendable {
    let start: Int64
    /// Nanoseconds of one part.
    let width: Int64
    let count: Int

    static let mostParts = 360
    /// A sample says something for so long: more than two of a node that does not answer are apart.
    static let holds: Int64 = 2_500_000_000

    private static let second: Int64 = 1_000_000_000
    /// Widths that people can reckon with.
    private static let widths: [Int64] =
        [second / 4, second / 2] + [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600].map { $0 * second }

    /// The smallest width of which not too many are needed. No time at all becomes one part.
    init(from start: Int64, to end: Int64) {
        let length = max(0, end - start)
        func parts(_ width: Int64) -> Int64 { length / width + 1 }
        var width = Self.widths.first { parts($0) <= Self.mostParts } ?? Self.widths[Self.widths.count - 1]
        while parts(width) > Self.mostParts { width *= 2 }
        self.start = start
        self.width = width
        count = Int(parts(width))
    }

    var end: Int64 { start + width * Int64(count) }
    var secondsPerPart: Double { Double(width) / Double(Self.second) }

    /// The part that a moment is in; the first or the last where it is outside.
    func part(_ moment: Int64) -> Int { Int(min(max(0, moment - start) / width, Int64(count - 1))) }

    func contains(_ moment: Int64) -> Bool { moment >= start && moment < end }

    /// For each part how many of the moments are in it.
    func counts(_ moments: some Sequence<Int64>) -> [Double] {
        var counts = [Double](repeating: 0, count: count)
        for moment in moments where contains(moment) { counts[part(moment)] += 1 }
        return counts
    }

    /// For each part the highest level that something had in it, from its risings and fallings in any order.
    func levels(_ changes: [(at: Int64, by: Double)]) -> [Double] {
        var levels = [Double](repeating: 0, count: count)
        var (level, current) = (0.0, 0)
        // Of the same moment what falls comes first: what came and went at once was never there.
        for change in changes.sorted(by: { ($0.at, $0.by) < ($1.at, $1.by) }) {
            guard change.at < end else { break }
            let part = part(change.at)
            while current < part {
                current += 1
                levels[current] = level
            }
            level += change.by
            levels[part] = max(levels[part], level)
        }
        while current < count - 1 {
            current += 1
            levels[current] = level
        }
        return levels
    }

    /// For each part the highest of the samples in it. A sample holds until the next one, but not for long: what
    /// nobody could see, or looked at, is nil.
    func maxima(_ samples: some Sequence<(at: Int64, value: Double?)>) -> [Double?] {
        var maxima = [Double?](repeating: nil, count: count)
        var last: (at: Int64, part: Int, value: Double?)?
        for (at, value) in samples where contains(at) {
            let part = part(at)
            if let last {
                hold(last.value, from: last.part, until: min(part, self.part(last.at + Self.holds) + 1), &maxima)
            }
            if let value { maxima[part] = max(maxima[part] ?? value, value) }
            last = (at, part, value)
        }
        if let last {
            hold(last.value, from: last.part, until: min(count, self.part(last.at + Self.holds) + 1), &maxima)
        }
        return maxima
    }

    private func hold(_ value: Double?, from part: Int, until end: Int, _ maxima: inout [Double?]) {
        guard let value, part + 1 < end else { return }
        for empty in part + 1..<end where maxima[empty] == nil { maxima[empty] = value }
    }
}
