import BatonCore
import BatonProtocol
import NIOCore

/// What a user may still send through a loop; all the user's connections there share it.
final class UserBudget {
    let user: UserID
    var rest: SendBudget
    /// When it was last charged for a message that came on no connection.
    var submittedAt: NIODeadline?

    init(_ user: UserID, _ rest: SendBudget) {
        self.user = user
        self.rest = rest
    }
}

@available(*, unavailable) extension UserBudget: Sendable {}

/// How much its users send. Shares of the buckets that all nodes share are drawn in the background: no message waits for
/// them.
extension RelayLoop {
    /// Charges a send before it goes to the store.
    ///
    /// - Returns: what the store is to refuse.
    func charge(_ handler: RelayHandler, bytes: Int, at now: NIODeadline) throws(FrameError) -> SendNovelty {
        guard handler.isCounted else { return [] }
        let budget = handler.budget ?? budget(of: handler.principal.user)
        handler.budget = budget
        return try charge(budget, bytes: bytes, at: now)
    }

    func charge(_ budget: UserBudget, bytes: Int, at now: NIODeadline) throws(FrameError) -> SendNovelty {
        defer { draw(for: budget) }
        switch budget.rest.received(bytes: bytes, at: now.milliseconds) {
        case .submit(let refused): return refused
        case .wait(let limit, let milliseconds): throw limited(limit, milliseconds)
        }
    }

    /// The store is done with it.
    func settle(_ outcome: StoreOutcome, refusing refused: SendNovelty, for budget: UserBudget?) {
        guard let budget else { return }
        let novelty: SendNovelty = if case .sent(let message) = outcome { message.novelty } else { [] }
        budget.rest.ended(refusing: refused, novelty: novelty)
        draw(for: budget)
    }

    /// Why the store was told to refuse a send.
    func limited(_ limit: SendLimit, of budget: UserBudget?) -> FrameError {
        limited(limit, budget?.rest.wait(for: limit, at: eventLoop.now.milliseconds) ?? 0)
    }

    private func limited(_ limit: SendLimit, _ milliseconds: Int64) -> FrameError {
        metrics.limited(limit)
        return FrameError(
            .rateLimited,
            "a user sends at most \(node.settings.sending.text(limit)); you may go on after \(milliseconds) ms",
            retryAfterMilliseconds: UInt32(clamping: max(1, milliseconds)))
    }

    private func draw(for budget: UserBudget) {
        guard budget.rest.isLow else { return }
        for (limit, draw) in budget.rest.drawsDue(at: eventLoop.now.milliseconds) {
            buckets.draw(draw, from: node.settings.sending.bucket(limit, of: budget.user)) {
                [eventLoop] granted, wait in
                budget.rest.drew(granted, of: limit, waitMilliseconds: wait, at: eventLoop.now.milliseconds)
            }
        }
    }

    func budget(of user: UserID) -> UserBudget {
        if let budget = budgets[user] { return budget }
        let budget = UserBudget(user, SendBudget(node.settings.sending, loops: node.allLoops.count))
        budgets[user] = budget
        return budget
    }

    /// A user has no connection here any more. Who owes something is remembered, so that coming back forgives nothing.
    func leaveBudget(of user: UserID) {
        guard let budget = budgets[user] else { return }
        if budget.rest.isSettled(at: eventLoop.now.milliseconds) || absentSenders.count >= Limits.Sending.absentUsers {
            budgets[user] = nil
        } else {
            absentSenders.insert(user)
        }
    }

    /// A message came on no connection. Its sender's budget is kept for a while if the user has no connection here: what
    /// is left of a share would be lost with it, and the next message would draw another.
    func keepBudget(_ budget: UserBudget) {
        budget.submittedAt = eventLoop.now
        guard users[budget.user] == nil, !absentSenders.contains(budget.user) else { return }
        if absentSenders.count >= Limits.Sending.absentUsers {
            budgets[budget.user] = nil
        } else {
            absentSenders.insert(budget.user)
        }
    }

    /// Once a second: forgets those who went, owe nothing any more, and have sent nothing for a while.
    func forgetBudgets() {
        guard !absentSenders.isEmpty else { return }
        let now = eventLoop.now
        let used = now - .seconds(Limits.Sending.keptSeconds)
        for user in absentSenders {
            if users[user] == nil, let budget = budgets[user] {
                guard budget.rest.isSettled(at: now.milliseconds), budget.submittedAt ?? used <= used else { continue }
                budgets[user] = nil
            }
            absentSenders.remove(user)
        }
    }
}

extension NIODeadline {
    fileprivate var milliseconds: Int64 { Int64(clamping: uptimeNanoseconds / 1_000_000) }
}
