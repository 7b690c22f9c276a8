/// Times of histories as they can be reckoned with: a file may hold any number, and sums of these stay numbers.
package enum Moment {
    /// Some 36 years.
    package static let last: Int64 = 1 << 60

    package static func bounded(_ at: Int64) -> Int64 { min(max(at, 0), last) }
}

extension HistoryRecord {
    package var moment: Int64 { Moment.bounded(at) }
}

extension ClusterRecord {
    package var moment: Int64 { Moment.bounded(at) }
}
