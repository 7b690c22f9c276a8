import BatonCore
import BatonProtocol
import NIOCore

/// Limits how much users send. Shares of the buckets that all nodes share are drawn in the background: no message waits for
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

    /// The store is done with a send that was charged.
    func chargeEnded(_ outcome: StoreOutcome, refusing refused: SendNovelty, of budget: UserBudget?) {
        guard let budget else { return }
        let novelty: SendNovelty = if case .sent(let message) = outcome { message.novelty } else { [] }
        budget.rest.ended(refusing: refused, novelty: novelty)
        draw(for: budget)
    }

    /// The error for a send that the store was told to refuse.
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

    func draw(for budget: UserBudget) {
        guard budget.rest.isLow else { return }
        for (limit, draw) in budget.rest.drawsDue(at: eventLoop.now.milliseconds) {
            buckets.draw(draw, from: node.settings.sending.bucket(limit, of: budget.user)) {
                [eventLoop] granted, wait in
                budget.rest.drew(granted, of: limit, waitMilliseconds: wait, at: eventLoop.now.milliseconds)
            }
        }
    }

    func budget(of user: UserID) -> UserBudget {
        budgets.budget(of: user) { SendBudget(node.settings.sending, loops: node.allLoops.count) }
    }
}
