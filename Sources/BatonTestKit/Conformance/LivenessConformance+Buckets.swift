import BatonCore

extension LivenessConformance {
    static let bucketCases: [LivenessConformance] = [
        .init("A share is what is wanted, or what there is, and two nodes share one bucket") { subject in
            try expect(try await draw(subject.one, wanted: 6), 6, "the first share")
            try expect(try await draw(subject.two, wanted: 6), 4, "what is left")
            let (granted, wait) = try await asked(subject.one, wanted: 6)
            try expect(granted, 0, "of nothing")
            try expect((1...hour).contains(wait), true, "a time to wait, \(wait)")
        },
        .init("A share that would be too small is not taken, and the time until it is large enough is told") {
            subject in
            try expect(try await draw(subject.one, wanted: 7), 7, "the first share")
            let (granted, wait) = try await asked(subject.two, wanted: 6, least: 4)
            try expect(granted, 0, "of three")
            try expect((hour - 5_000...hour).contains(wait), true, "an hour for the fourth, \(wait)")
            try expect(try await draw(subject.two, wanted: 6, least: 3), 3, "of three")
        },
        .init("What was spent is charged, below nothing too, and down to a bounded debt") { subject in
            try expect(try await draw(subject.one, spent: 3, wanted: 5), 5, "behind a charge")
            let (granted, wait) = try await asked(subject.two, spent: 6, wanted: 1)
            try expect(granted, 0, "with a debt of four")
            try expect((5 * hour - 5_000...5 * hour).contains(wait), true, "five hours, \(wait)")
            let (none, longest) = try await asked(subject.one, spent: 1_000, wanted: 1)
            try expect(none, 0, "with the largest debt")
            let most = (10 * Int64(Limits.Sending.debts) + 1) * hour
            try expect((most - 5_000...most).contains(longest), true, "the debts of many buckets, \(longest)")
        },
        .init("Buckets of other users, and of another kind, are other buckets") { subject in
            try expect(try await draw(subject.one, wanted: 10), 10, "all of alice's")
            try expect(try await draw(subject.one, wanted: 10, of: bob), 10, "all of bob's")
            try expect(try await draw(subject.two, wanted: 10, what: "other"), 10, "all of the other kind")
        },
    ]

    private static let hour: Int64 = 3_600_000

    private static func draw(
        _ node: LivenessSubject.Node, spent: Int = 0, wanted: Int, least: Int = 1, of user: UserID = alice,
        what: String = "messages"
    ) async throws -> Int {
        try await asked(node, spent: spent, wanted: wanted, least: least, of: user, what: what).granted
    }

    /// Of a bucket of ten tokens, of which one comes back an hour.
    private static func asked(
        _ node: LivenessSubject.Node, spent: Int = 0, wanted: Int, least: Int = 1, of user: UserID = alice,
        what: String = "messages"
    ) async throws -> (granted: Int, waitMilliseconds: Int64) {
        let bucket = RateLimitBucket(who: user.description, what: what, capacity: 10, secondsPerToken: 3_600)
        let draw = TokenAccount.Draw(spent: spent, wanted: wanted, least: least)
        let answer: [Int64] = try await node.ask { ports, answer in
            ports.buckets.draw(draw, from: bucket) { granted, wait in answer([Int64(granted), wait]) }
        }
        return (Int(answer[0]), answer[1])
    }
}
