import BatonCore

/// What time it is for the processes of a store, where their clocks do not agree.
///
/// They share a host, so their clocks are one; a process whose clock differs is wrong, or all the others are. Those that agree
/// form a camp. The camp with the most clocks that nobody doubts wins, then the greatest one, then the one with the process that has
/// run for the longest: so one that comes with another clock changes nothing for those who are there.
enum ClockVote {
    struct Ballot: Hashable {
        /// The process' clock minus the voter's own. What was written a moment ago is as old as that, so it is never too great.
        let difference: Int64
        let isDoubtful: Bool
        /// How long the process has run, in looks.
        let beats: UInt64
    }

    /// - Parameter own: the difference is zero.
    /// - Returns: by how many milliseconds the own clock is to be moved.
    static func correction(own: Ballot, others: [Ballot]) -> Int64 {
        let all = ([own] + others).sorted { $0.difference < $1.difference }
        var best: [Ballot] = []
        for start in all.indices {
            // Everybody who is not further from this one than clocks of a host can be.
            let camp = Array(all[start...].prefix { $0.difference - all[start].difference <= tolerance })
            if best.isEmpty || weight(camp) > weight(best) { best = camp }
        }
        guard !best.contains(own), let latest = best.map(\.difference).max() else { return 0 }
        return latest
    }

    private static let tolerance = Limits.Store.clocksApartMilliseconds

    private static func weight(_ camp: [Ballot]) -> (Int, Int, UInt64) {
        (camp.count { !$0.isDoubtful }, camp.count, camp.map(\.beats).max() ?? 0)
    }
}
