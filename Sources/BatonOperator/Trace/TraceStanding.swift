import BatonCore
import BatonGateway
import BatonStore

/// How one device stands to the message: it has it, or why not yet.
struct TraceStanding {
    enum State: String {
        case acknowledged
        /// Written to its socket, and not acknowledged.
        case written
        /// No connection anywhere.
        case offline
        /// Its window is full, or its socket takes nothing.
        case blocked
        /// Its connection's node is dead, and it has not come back yet.
        case nodeDead = "node_dead"
        /// Its connection was not told: the sweep will find that.
        case hintMissed = "hint_missed"
        /// It is being read from the store.
        case reading
        /// Connected, and its node does not say more.
        case connected
        case revoked
        /// Away for so long that nothing is held back for it.
        case idle
        case unknown

        /// Whether something is still to happen.
        var isOpen: Bool {
            switch self {
            case .acknowledged, .revoked, .idle: false
            default: true
            }
        }
    }

    let user: UserID
    let device: InspectedDevice
    var node: String?
    let state: State
    let why: String

    static func all(_ life: TracedLife, _ order: TraceOrder) -> [TraceStanding] {
        (life.stored?.recipients ?? []).flatMap { recipient -> [TraceStanding] in
            let user = recipient.member.user
            // The sender's own message is an event only where they have other devices.
            if user == life.stored?.sender, life.places[user] == nil { return [] }
            let devices = life.users[user]?.devices ?? recipient.devices
            return devices.filter { isConcerned($0, life, order) }.map {
                TraceExplanation(life, order, user, $0, recipient.inboxSequence).standing
            }
        }
    }

    /// Devices that were revoked long before have nothing to do with it.
    private static func isConcerned(_ device: InspectedDevice, _ life: TracedLife, _ order: TraceOrder) -> Bool {
        if !device.isRevoked { return true }
        let name = device.id.description
        if order.moments.contains(where: { $0.entry.device == name }) { return true }
        return device.lastUsed >= (life.stored?.at ?? .max) - millisecondsOfADay
    }

    /// A device's use is written down once a day.
    private static let millisecondsOfADay: Int64 = 86_400_000
}

/// Finds out why, from the surest to the least: the store's cursor, what the connection's node says of it now, what
/// Redis says of where it is, what the rings have of it.
private struct TraceExplanation {
    let life: TracedLife
    let user: UserID
    let device: InspectedDevice
    /// The message's place in the user's inbox; nil where it is no longer known.
    let place: UInt64?
    let entries: [TraceOrder.Moment]
    let session: Session?
    let isInInbox: Bool

    init(_ life: TracedLife, _ order: TraceOrder, _ user: UserID, _ device: InspectedDevice, _ row: Int64?) {
        self.life = life
        self.user = user
        self.device = device
        place = life.places[user]?.map(\.rawValue).max()
        entries = order.moments.filter { $0.entry.device == device.id.description }
        session = life.sessions?[device.id]
        isInInbox = row != nil
    }

    var standing: TraceStanding {
        if device.isRevoked { return made(.revoked, "the device was revoked") }
        // An inbox' row goes when every active device has passed it.
        if place.map({ device.cursor >= Int64(clamping: $0) }) ?? !isInInbox {
            return made(.acknowledged, "acknowledged" + time(of: .stored, or: .acknowledged))
        }
        if device.isIdle {
            return made(.idle, "idle for \(Limits.Store.idleDeviceDays) days: it resyncs through history")
        }
        if let (node, connection) = connection { return live(node, connection) }
        guard let sessions = life.sessions else {
            return made(.unknown, "Redis is not reachable, and no node that answers has it" + lastSeen)
        }
        guard let session = sessions[device.id] else { return made(.offline, "no connection" + lastSeen) }
        let home = life.collection.lives.first {
            $0.node == session.node.name && $0.incarnation == session.incarnation
        }
        switch home?.standing {
        case nil, .dead?:
            return made(.nodeDead, "its node \(session.node) died; it is to connect to another" + lastSeen)
        case .live?: return made(.offline, "its connection on \(session.node) has just ended" + lastSeen)
        case .silent?, .unknown?:
            return made(.connected, "connected to \(session.node), which does not answer" + lastSeen)
        }
    }

    private var connection: (node: String, TraceConnection)? {
        for life in life.collection.lives {
            let found = life.answer?.connections.last { $0.device == device.id.description }
            if let found { return (life.node, found) }
        }
        return nil
    }

    private func live(_ node: String, _ connection: TraceConnection) -> TraceStanding {
        guard let place else { return made(.connected, "connected to \(node)", on: node) }
        if connection.phase != "open" { return made(.connected, "its connection is \(connection.phase)", on: node) }
        let stalled =
            TraceReport.milliseconds(
                TraceAnchor.microseconds(ofMilliseconds: connection.withoutProgressMilliseconds)) + " ms"
        if connection.acknowledged >= place {
            return made(.written, "acknowledged by the device, not stored yet", on: node)
        }
        if connection.sent >= place {
            return made(
                .written, "written, not acknowledged; \(connection.unacknowledged) events are, for \(stalled)", on: node
            )
        }
        if connection.isBlocked {
            let what = connection.isWritable ? "its window is full" : "its socket takes nothing"
            return made(
                .blocked,
                "\(what): sent up to \(connection.sent), \(connection.unacknowledged) unacknowledged, no progress for "
                    + stalled, on: node)
        }
        if connection.head < place {
            return made(
                .hintMissed, "its node was not told; the sweep finds it within \(Limits.Node.backstopMaximumSeconds) s",
                on: node)
        }
        return made(.reading, "is being read from the store", on: node)
    }

    /// What the rings have last of the device.
    private var lastSeen: String {
        guard let last = entries.last(where: { [.written, .closed, .opened].contains($0.entry.kind) }) else {
            return ""
        }
        let node = life.collection.lives[last.life].node
        let what =
            switch last.entry.kind {
            case .written: "not acknowledged since \(node) wrote it"
            case .closed: "its connection to \(node) ended"
            default: "it connected to \(node)"
            }
        return "; " + what + at(last.entry.at)
    }

    private func time(of kind: TraceRecord.Kind, or other: TraceRecord.Kind) -> String {
        let entry = entries.first { $0.entry.kind == kind } ?? entries.first { $0.entry.kind == other }
        return entry.map { at($0.entry.at) } ?? ""
    }

    private func at(_ microseconds: Int64) -> String {
        if case .text(let text) = TraceReport.time(microseconds) { " at " + text } else { "" }
    }

    private func made(_ state: TraceStanding.State, _ why: String, on node: String? = nil) -> TraceStanding {
        TraceStanding(user: user, device: device, node: node ?? session?.node.name, state: state, why: why)
    }
}
