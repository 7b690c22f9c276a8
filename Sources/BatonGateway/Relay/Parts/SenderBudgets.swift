package import BatonCore
package import NIOCore

/// What a user may still send through a loop; all the user's connections there share it.
package final class UserBudget {
    package let user: UserID
    package var rest: SendBudget
    /// When it was last charged for a message that came on no connection.
    var submittedAt: NIODeadline?

    init(_ user: UserID, _ rest: SendBudget) {
        self.user = user
        self.rest = rest
    }
}

@available(*, unavailable) extension UserBudget: Sendable {}

/// The budgets of the users who sent something through a loop.
///
/// Those of users without a connection here are kept while they owe something, so that coming back forgives nothing, and for
/// a while after a message that came on no connection. There are `Limits.Sending.absentUsers` of them at most.
///
/// It charges nothing: `RelayLoop` and `SendBudget` do. Used on the event loop of the `RelayLoop` that owns it.
package struct SenderBudgets {
    private var budgets: [UserID: UserBudget] = [:]
    private var absent: Set<UserID> = []

    package init() {}

    package var count: Int { budgets.count }
    package var absentUsers: Set<UserID> { absent }

    /// - Parameter make: makes the budget of a user who has none yet.
    package mutating func budget(of user: UserID, _ make: () -> SendBudget) -> UserBudget {
        if let budget = budgets[user] { return budget }
        let budget = UserBudget(user, make())
        budgets[user] = budget
        return budget
    }

    /// A user has no connection here any more.
    package mutating func left(_ user: UserID, at now: NIODeadline) {
        guard let budget = budgets[user] else { return }
        if budget.rest.isSettled(at: now.milliseconds) {
            budgets[user] = nil
        } else {
            keep(user)
        }
    }

    /// A message came on no connection. What is left of a share would be lost with the budget, and the next message would
    /// draw another.
    ///
    /// - Parameter isHere: whether its sender has a connection here.
    package mutating func submitted(_ budget: UserBudget, isHere: Bool, at now: NIODeadline) {
        budget.submittedAt = now
        guard !isHere, !absent.contains(budget.user) else { return }
        keep(budget.user)
    }

    /// At the bound an eighth goes, those that have not been used for the longest: the sorting is paid for by many.
    private mutating func keep(_ user: UserID) {
        if absent.count >= Limits.Sending.absentUsers {
            let oldest = absent.map { ($0, budgets[$0]?.submittedAt ?? .distantPast) }.sorted { $0.1 < $1.1 }
            for (other, _) in oldest.prefix(max(1, Limits.Sending.absentUsers / 8)) {
                absent.remove(other)
                budgets[other] = nil
            }
        }
        absent.insert(user)
    }

    /// Once a second: forgets those who went, owe nothing any more, and have sent nothing for a while.
    ///
    /// - Returns: those who owe something, and for whom nothing is drawn by sending any more.
    package mutating func forget(at now: NIODeadline, isHere: (UserID) -> Bool) -> [UserBudget] {
        let used = now - .seconds(Limits.Sending.keptSeconds)
        var owing: [UserBudget] = []
        for user in absent {
            if !isHere(user), let budget = budgets[user] {
                let isSettled = budget.rest.isSettled(at: now.milliseconds)
                if !isSettled { owing.append(budget) }
                guard isSettled, budget.submittedAt ?? used <= used else { continue }
                budgets[user] = nil
            }
            absent.remove(user)
        }
        return owing
    }
}

extension NIODeadline {
    /// Since some moment; never goes back.
    package var milliseconds: Int64 { Int64(clamping: uptimeNanoseconds / 1_000_000) }
}
