/// Times of histories as they can be reckoned with: a file may hold any number, and sums of these stay numbers.
enum Moment {
    /// Some 36 years.
    static let last: Int64 = 1 << 60

    static func bounded(_ at: Int64) -> Int64 { min(max(at, 0), last) }
}

extension HistoryRecord {
    var moment: Int64 { Moment.bounded(at) }
}

extension ClusterRecord {
    var moment: Int64 { Moment.bounded(at) }
}
