import Testing

@testable import BatonCore

@Suite("What a user may send through an event loop")
struct SendBudgetTests {
    /// A bucket as all nodes share it, for one limit.
    private struct Shared {
        var tokens: Double
        let perMillisecond: Double
        let capacity: Double
        var at: Int64 = 0

        init(_ limit: SendLimit, _ limits: SendLimits) {
            let bucket = limits.bucket(limit, of: UserID(rawValue: 1))
            (tokens, capacity) = (Double(bucket.capacity), Double(bucket.capacity))
            perMillisecond = 1 / (bucket.secondsPerToken * 1_000)
        }

        mutating func answer(_ draw: TokenAccount.Draw, at now: Int64) -> (granted: Int, wait: Int64) {
            tokens = min(capacity, tokens + Double(now - at) * perMillisecond)
            at = now
            tokens = max(-capacity * Double(Limits.Sending.debts), tokens - Double(draw.spent))
            guard tokens >= Double(draw.least) else {
                return (0, Int64(((Double(draw.least) - tokens) / perMillisecond).rounded(.up)))
            }
            let granted = min(draw.wanted, Int(tokens))
            tokens -= Double(granted)
            return (granted, 0)
        }
    }

    /// Sends as often as it is let, through some loops in turn, and gives the number of messages that were stored.
    private func stored(
        _ novelty: SendNovelty, bytes: Int, loops: Int, loopsOfNode: Int = 2, milliseconds: Int64,
        answersAfter: Int64 = 0, _ limits: SendLimits = SendLimits(),
        then look: ([SendLimit: Shared]) -> Void = { _ in }
    ) -> Int {
        var shared = Dictionary(uniqueKeysWithValues: SendLimit.allCases.map { ($0, Shared($0, limits)) })
        var budgets = Array(repeating: SendBudget(limits, loops: loopsOfNode), count: loops)
        var answers: [(at: Int64, loop: Int, limit: SendLimit, draw: TokenAccount.Draw)] = []
        var stored = 0
        for now in 0...milliseconds {
            for answer in answers where answer.at <= now {
                guard let (granted, wait) = shared[answer.limit]?.answer(answer.draw, at: now) else { continue }
                budgets[answer.loop].drew(granted, of: answer.limit, waitMilliseconds: wait, at: now)
            }
            answers.removeAll { $0.at <= now }
            for loop in budgets.indices {
                for _ in 0..<8 {
                    guard case .submit(let refused) = budgets[loop].received(bytes: bytes, at: now) else { continue }
                    let isStored = novelty.limit(refusing: refused) == nil
                    if isStored { stored += 1 }
                    budgets[loop].ended(refusing: refused, novelty: isStored ? novelty : [])
                }
                for (limit, draw) in budgets[loop].drawsDue(at: now) {
                    answers.append((now + answersAfter, loop, limit, draw))
                }
            }
        }
        look(shared)
        return stored
    }

    @Test("To friends it is bounded by messages or by bytes, whichever comes first", arguments: [100, 65_536])
    func friends(bytes: Int) {
        let limits = SendLimits()
        let (seconds, loops) = (120, 4)
        let capacity = bytes == 100 ? limits.messagesPerMinute : limits.bytesPerMinute / bytes
        let stored = stored([], bytes: bytes, loops: loops, milliseconds: Int64(seconds) * 1_000)
        // What the bucket holds and gets, and what the loops give on credit, which is paid back.
        let most = capacity + capacity * seconds / 60 + loops * capacity / Limits.Sending.credits / 2
        #expect(stored <= most)
        #expect(stored >= capacity + capacity * seconds / 60 - loops * capacity / Limits.Sending.shares)
    }

    @Test("To strangers, and where each makes a conversation, it is a few hundred, however fast and on how many loops")
    func strangers() {
        let limits = SendLimits()
        for (novelty, capacity) in [
            (SendNovelty.stranger, limits.strangerMessagesPerHour), (.all, limits.conversationsPerHour),
        ] {
            for answersAfter in [Int64(0), 50, 2_000] {
                let stored = stored(
                    novelty, bytes: 65_536, loops: 4, milliseconds: 8_000, answersAfter: answersAfter)
                let credit = 4 * (capacity / Limits.Sending.credits / 2)
                #expect(stored <= capacity + credit + 1, "\(novelty) \(answersAfter)")
                #expect(stored >= min(capacity, credit))
            }
        }
    }

    @Test("A burst through all event loops of a large cluster is bounded, and all of it is owed")
    func manyLoops() {
        let limits = SendLimits()
        let (nodes, loopsOfNode) = (3, 32)
        var left = 0.0
        let stored = stored(
            .stranger, bytes: 1_000, loops: nodes * loopsOfNode, loopsOfNode: loopsOfNode, milliseconds: 300,
            answersAfter: 100
        ) { left = $0[.strangers]?.tokens ?? 0 }
        let limit = limits.strangerMessagesPerHour
        #expect(stored > limit && stored <= limit + nodes * loopsOfNode * (limit / Limits.Sending.credits / 8))
        // But for what is under way, and shares that are not spent.
        #expect(left <= Double(limit - stored + nodes * loopsOfNode))
    }

    @Test("Where strangers are no longer written to, friends are")
    func friendsBesideStrangers() {
        var budget = SendBudget(SendLimits(), loops: 1)
        let limits = SendLimits()
        for number in 0..<limits.strangerMessagesPerHour / Limits.Sending.credits {
            // Of those under way each may begin a conversation.
            let isNew = number < limits.conversationsPerHour / Limits.Sending.credits
            #expect(budget.received(bytes: 10, at: 0) == .submit(refusing: isNew ? [] : .conversation))
        }
        // And go to a stranger.
        #expect(budget.received(bytes: 10, at: 0) == .submit(refusing: .all))
        budget.ended(refusing: .all, novelty: [])
        budget.ended(refusing: [], novelty: [])
        #expect(budget.received(bytes: 10, at: 0) == .submit(refusing: []))
        budget.ended(refusing: [], novelty: .stranger)
        #expect(budget.received(bytes: 10, at: 0) == .submit(refusing: .stranger))
        #expect(budget.wait(for: .strangers, at: 0) == Limits.Sending.answerMilliseconds)
    }

    @Test("The largest message can be sent under the least limit that may be configured")
    func least() {
        var limits = SendLimits()
        limits.bytesPerMinute = 1_048_576
        var budget = SendBudget(limits, loops: 64)
        let largest = Limits.Message.contentBytes + 1_024
        #expect(budget.received(bytes: largest, at: 0) == .submit(refusing: []))
        limits.messagesPerMinute = 1
        limits.conversationsPerHour = 1
        limits.strangerMessagesPerHour = 1
        budget = SendBudget(limits, loops: 64)
        #expect(budget.received(bytes: largest, at: 0) == .submit(refusing: []))
        #expect(budget.received(bytes: 1, at: 0) == .wait(.messages, milliseconds: Limits.Sending.answerMilliseconds))
    }

    @Test("A person who writes as fast as anybody types meets no limit, and asks the buckets rarely")
    func person() {
        var budget = SendBudget(SendLimits(), loops: 1)
        var draws = 0
        for second in 0..<3_600 {
            let now = Int64(second) * 1_000
            for _ in 0..<4 {
                #expect(budget.received(bytes: 300, at: now) == .submit(refusing: []))
                budget.ended(refusing: [], novelty: [])
                for (limit, draw) in budget.drawsDue(at: now) {
                    draws += 1
                    budget.drew(draw.wanted, of: limit, waitMilliseconds: 0, at: now)
                }
            }
        }
        #expect(draws < 14_400 / 50)
    }
}
