/// Of some values in ascending order those that people ask for.
package struct Percentiles: Hashable, Encodable, Sendable {
    package let p50: Double
    package let p99: Double
    package let max: Double

    /// nil where there are no values.
    init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let last = sorted.last else { return nil }
        /// The smallest value that so many parts of a hundred do not exceed.
        func value(_ part: Int) -> Double { sorted[(sorted.count * part + 99) / 100 - 1] }
        p50 = value(50)
        p99 = value(99)
        max = last
    }
}
