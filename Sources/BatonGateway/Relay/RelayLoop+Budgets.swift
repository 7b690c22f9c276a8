import BatonCore
import BatonProtocol
import NIOCore

/// What a user may still send through a loop; all the user's connections there share it.
final class UserBudget {
    let user: UserID
    var rest: SendBudget

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
        defer { draw(for: budget) }
        switch budget.rest.received(bytes: bytes, at: now.milliseconds) {
        case .submit(let refused): return refused
        case .wait(let limit, let milliseconds): throw limited(limit, milliseconds)
        }
    }

    /// The store is done with it.
    func settle(_ outcome: StoreOutcome, refusing refused: SendNovelty, of handler: RelayHandler) {
        guard let budget = handler.budget else { return }
        let novelty: SendNovelty = if case .sent(let message) = outcome { message.novelty } else { [] }
        budget.rest.ended(refusing: refused, novelty: novelty)
        draw(for: budget)
    }

    /// Why the store was told to refuse a send.
    func limited(_ limit: SendLimit, of handler: RelayHandler) -> FrameError {
        limited(limit, handler.budget?.rest.wait(for: limit, at: eventLoop.now.milliseconds) ?? 0)
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

    private func budget(of user: UserID) -> UserBudget {
        if let budget = budgets[user] { return budget }
        let budget = UserBudget(user, SendBudget(node.settings.sending, loops: node.allLoops.count))
        budgets[user] = budget
        return budget
    }

    /// A user has no connection here any more. Who owes something is remembered, so that coming back forgives nothing.
    func leaveBudget(of user: UserID) {
        guard let budget = budgets[user] else { return }
        if budget.rest.isSettled(at: eventLoop.now.milliseconds) || owing.count >= Limits.Sending.owingUsers {
            budgets[user] = nil
        } else {
            owing.insert(user)
        }
    }

    /// Once a second: forgets those who went and owe nothing any more.
    func forgetBudgets() {
        guard !owing.isEmpty else { return }
        let now = eventLoop.now.milliseconds
        for user in owing where users[user] != nil || budgets[user]?.rest.isSettled(at: now) != false {
            owing.remove(user)
            if users[user] == nil { budgets[user] = nil }
        }
    }
}

extension NIODeadline {
    fileprivate var milliseconds: Int64 { Int64(clamping: uptimeNanoseconds / 1_000_000) }
}
