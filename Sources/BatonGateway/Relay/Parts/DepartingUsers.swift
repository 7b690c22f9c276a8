package import BatonCore
package import NIOCore

/// Users who have just lost their last connection here, until the others are told that they are offline. Each has a moment
/// for coming back first.
///
/// It tells nobody: `RelayLoop` does, once a second. Used on the event loop of the `RelayLoop` that owns it.
package struct DepartingUsers {
    package struct Departure {
        /// The last session that the user had here.
        package let session: Session
        var due: NIODeadline
        /// Whether the store was told when the user was last seen.
        package var isSeen = false
    }

    private var departures: [UserID: Departure] = [:]

    package init() {}

    package var count: Int { departures.count }

    package mutating func left(_ session: Session, due: NIODeadline) {
        departures[session.user] = Departure(session: session, due: due)
    }

    package mutating func cameBack(_ user: UserID) { departures[user] = nil }

    /// Those whose moment is over.
    package mutating func takeDue(_ now: NIODeadline) -> [UserID: Departure] {
        let due = departures.filter { $0.value.due <= now }
        for user in due.keys { departures[user] = nil }
        return due
    }

    /// To be told later: the registry could not be reached, or the user may be coming back. There are
    /// `Limits.Presence.unannouncedUsers` at most; of those beyond presence ends by its TTL.
    package mutating func again(_ departure: Departure, due: NIODeadline, isSeen: Bool) {
        let user = departure.session.user
        guard departures[user] == nil, departures.count < Limits.Presence.unannouncedUsers else { return }
        departures[user] = Departure(session: departure.session, due: due, isSeen: isSeen)
    }
}
