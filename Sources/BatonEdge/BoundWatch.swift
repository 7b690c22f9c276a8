/// Turns many refusals into two lines of a log: one when a bound is met, one when it has not been for a while.
package struct BoundWatch: Sendable {
    /// A bound that is no longer met.
    package struct Over: Hashable, Sendable {
        package let bound: ConnectionBound
        /// How often it was.
        package let times: Int

        package init(bound: ConnectionBound, times: Int) {
            self.bound = bound
            self.times = times
        }
    }

    private struct Met {
        var last: Int64
        var times = 1
    }

    private var met: [ConnectionBound: Met] = [:]
    private let quietSeconds: Int64

    package init(quietSeconds: Int64) {
        self.quietSeconds = quietSeconds
    }

    /// Whether some bound is met at this time.
    package var isAnyMet: Bool { !met.isEmpty }

    /// - Returns: whether it is news.
    package mutating func isMet(_ bound: ConnectionBound, second: Int64) -> Bool {
        guard var known = met[bound] else {
            met[bound] = Met(last: second)
            return true
        }
        known.last = second
        known.times += 1
        met[bound] = known
        return false
    }

    /// Those that have not been met for the quiet time.
    package mutating func over(second: Int64) -> [Over] {
        ConnectionBound.allCases.compactMap { bound in
            guard let known = met[bound], second - known.last >= quietSeconds else { return nil }
            met[bound] = nil
            return Over(bound: bound, times: known.times)
        }
    }
}
