import BatonCore

/// The connections of one event loop: all of them by id, and those that have said hello by user.
///
/// It says what a change means for a user's subscription at the bus. It subscribes to nothing and closes nothing: `RelayLoop`
/// does. Used on the event loop of the `RelayLoop` that owns it.
struct LocalConnections: ~Copyable {
    /// What a connection that has said hello waits for.
    enum Greeting: Hashable {
        /// It is the user's first: subscribe, then go on with `subscribed`.
        case subscribe
        /// The bus has not answered yet: `subscribed` will return this connection with the others.
        case wait
        /// Nothing: it can be numbered now.
        case ready
    }

    /// What a connection that ended leaves behind.
    enum Removal: Hashable {
        /// It was removed before.
        case unknown
        /// It had not said hello.
        case ungreeted
        /// The user has other connections here.
        case others
        /// It was the user's last one here.
        case last
    }

    private struct User {
        var handlers: [RelayHandler] = []
        /// The bus has confirmed the subscription, or given up for now.
        var isSubscribed = false
    }

    private var handlers: [ConnectionID: RelayHandler] = [:]
    private var byUser: [UserID: User] = [:]

    var count: Int { handlers.count }
    var isEmpty: Bool { handlers.isEmpty }

    /// All, those included that have not said hello.
    var all: Dictionary<ConnectionID, RelayHandler>.Values { handlers.values }

    /// Users with a connection that has said hello.
    var users: [UserID] { Array(byUser.keys) }

    subscript(id: ConnectionID) -> RelayHandler? { handlers[id] }

    /// A user's connections that have said hello, the oldest first.
    func of(_ user: UserID) -> [RelayHandler] { byUser[user]?.handlers ?? [] }

    func hasUser(_ user: UserID) -> Bool { byUser[user] != nil }

    // MARK: A connection's life

    mutating func add(_ handler: RelayHandler) { handlers[handler.id] = handler }

    /// A connection has said hello.
    mutating func greeted(_ handler: RelayHandler) -> Greeting {
        let user = handler.principal.user
        byUser[user, default: User()].handlers.append(handler)
        guard let local = byUser[user], local.handlers.count > 1 else { return .subscribe }
        return local.isSubscribed ? .ready : .wait
    }

    /// The bus has taken up a user's subscription, or cannot for now.
    ///
    /// - Returns: the connections that waited for that.
    mutating func subscribed(_ user: UserID) -> [RelayHandler] {
        guard let local = byUser[user], !local.isSubscribed else { return [] }
        byUser[user]?.isSubscribed = true
        return local.handlers.filter { $0.phase == .opening }
    }

    mutating func remove(_ handler: RelayHandler) -> Removal {
        guard handlers.removeValue(forKey: handler.id) != nil else { return .unknown }
        let user = handler.principal.user
        guard let place = byUser[user]?.handlers.firstIndex(where: { $0 === handler }) else { return .ungreeted }
        byUser[user]?.handlers.remove(at: place)
        guard byUser[user]?.handlers.isEmpty == true else { return .others }
        byUser[user] = nil
        return .last
    }
}
