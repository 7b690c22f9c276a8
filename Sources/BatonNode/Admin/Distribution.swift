/// A histogram as it was at one moment; the difference of two tells what happened between them.
package struct Distribution: Codable, Hashable, Sendable {
    /// Upper bounds of the buckets, ascending; seconds, or amounts.
    package let bounds: [Double]
    /// For each bound, then for infinity: how many values were not above it.
    package let counts: [Int]
    package let sum: Double

    package init(bounds: [Double], counts: [Int], sum: Double) {
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }

    package var count: Int { counts.last ?? 0 }

    package var mean: Double? { count > 0 ? sum / Double(count) : nil }

    /// What came since an earlier moment; everything, where that was of another life or another shape.
    package func since(_ earlier: Distribution) -> Distribution {
        guard earlier.bounds == bounds, earlier.counts.count == counts.count, earlier.count <= count else {
            return self
        }
        return Distribution(
            bounds: bounds, counts: zip(counts, earlier.counts).map { max(0, $0 - $1) }, sum: max(0, sum - earlier.sum))
    }

    /// The values of several nodes as one.
    package func merged(with other: Distribution) -> Distribution {
        if other.bounds.isEmpty { return self }
        guard bounds == other.bounds, counts.count == other.counts.count else { return bounds.isEmpty ? other : self }
        return Distribution(bounds: bounds, counts: zip(counts, other.counts).map(+), sum: sum + other.sum)
    }

    /// A value that so much of the values are not above, even spread within a bucket assumed; nil where there are none.
    package func quantile(_ fraction: Double) -> Double? {
        guard count > 0, counts.count == bounds.count + 1, let last = bounds.last else { return nil }
        let rank = fraction * Double(count)
        guard let index = counts.firstIndex(where: { Double($0) >= rank && $0 > 0 }), index < bounds.count else {
            return last
        }
        let below = index > 0 ? counts[index - 1] : 0
        let lower = index > 0 ? bounds[index - 1] : 0
        let inside = counts[index] - below
        guard inside > 0 else { return bounds[index] }
        return lower + (bounds[index] - lower) * (rank - Double(below)) / Double(inside)
    }
}
