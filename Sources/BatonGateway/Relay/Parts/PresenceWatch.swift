package import BatonCore

/// Which connections of an event loop watch which users, what is to be asked about those users, and what is to be looked at
/// again.
///
/// It asks neither the registry nor the store: `RelayLoop` does. What one connection may see is in its `WatchedUsers`.
/// Used on the event loop of the `RelayLoop` that owns it.
package struct PresenceWatch {
    /// Whether a user is to be asked about once more when the answer is there.
    private enum Question {
        case once
        case again
    }

    private var watchers: [UserID: Set<ConnectionID>] = [:]
    /// The registry was asked about these, and has not answered.
    private var questions: [UserID: Question] = [:]
    /// The presence of these could not be learned, or a watcher could not be told.
    private var unknown: Set<UserID> = []
    /// The registry is to be asked about these: is what was told still true?
    private var unchecked: [UserID] = []
    /// The store is to be asked about these connections: may they still watch?
    private var uncheckedWatchers: [ConnectionID] = []

    package init() {}

    // MARK: Who watches

    package var watchedUsers: [UserID] { Array(watchers.keys) }

    package func isWatched(_ user: UserID) -> Bool { watchers[user] != nil }

    package func watchers(of user: UserID) -> Set<ConnectionID> { watchers[user] ?? [] }

    /// - Returns: whether it is the user's first watcher here.
    package mutating func add(_ connection: ConnectionID, to user: UserID) -> Bool {
        watchers[user, default: []].insert(connection)
        return watchers[user]?.count == 1
    }

    /// - Returns: whether it was the user's last watcher here.
    package mutating func remove(_ connection: ConnectionID, from user: UserID) -> Bool {
        watchers[user]?.remove(connection)
        guard watchers[user]?.isEmpty == true else { return false }
        watchers[user] = nil
        return true
    }

    // MARK: Questions

    /// - Returns: those to ask about now. Of the others an answer is awaited; they are asked about again after it.
    package mutating func begin(_ users: [UserID]) -> [UserID] {
        let new = users.filter { questions.updateValue(.again, forKey: $0) == nil }
        for user in new { questions[user] = .once }
        return new
    }

    /// The registry has answered, or could not.
    ///
    /// - Returns: those to ask about again.
    package mutating func ended(_ asked: [UserID], isAnswered: Bool) -> [UserID] {
        let again = asked.filter { questions.removeValue(forKey: $0) == .again }
        if !isAnswered { unknown.formUnion(asked) }
        return again.filter { watchers[$0] != nil }
    }

    /// A watcher could not be told.
    package mutating func notTold(_ user: UserID) { unknown.insert(user) }

    /// Those whose presence could not be learned or told, and who are still watched; they are kept where nothing can be asked.
    package mutating func takeUnknown(canAsk: Bool) -> [UserID] {
        guard !unknown.isEmpty else { return [] }
        // However long the registry is away, those whom nobody watches any more are not kept.
        let users = unknown.filter { watchers[$0] != nil }
        unknown = canAsk ? [] : users
        return canAsk ? users.sorted() : []
    }

    // MARK: Looking again

    /// All are looked at again, `Limits.Presence.recheckedPerSecond` a second.
    package mutating func recheck(_ connections: [ConnectionID]) {
        unchecked = watchedUsers
        uncheckedWatchers = connections
    }

    package var uncheckedCount: Int { unchecked.count }
    package var uncheckedWatcherCount: Int { uncheckedWatchers.count }

    /// The next of them that are still watched.
    package mutating func takeUnchecked() -> [UserID] {
        let some = unchecked.suffix(Limits.Presence.recheckedPerSecond)
        unchecked.removeLast(some.count)
        return some.filter { watchers[$0] != nil }
    }

    package mutating func takeUncheckedWatcher() -> ConnectionID? { uncheckedWatchers.popLast() }
}
