import BatonCore
import BatonGateway
import BatonStore
import Foundation

/// A message's life as fields and tables: what happened, in order; how each device stands; and how far back each node
/// remembers.
struct TraceReport {
    private let life: TracedLife
    private let order: TraceOrder

    init(_ life: TracedLife) {
        self.life = life
        order = TraceOrder(life.collection.lives.map { $0.answer?.entries ?? [] })
    }

    func report(_ warnings: [String]) -> InspectionReport {
        var report = InspectionReport()
        let stored = life.stored
        report.fields = [
            ("message", .text(life.id.description)),
            (
                "ref",
                stored?.refs.first.map { .text($0) } ?? (life.asked == life.id.description ? .none : .text(life.asked))
            ),
            ("sender", name(stored?.sender?.description ?? accepted?.entry.user)),
            ("bytes", bytes), ("stored", Self.time(stored.map { TraceAnchor.microseconds(ofMilliseconds: $0.at) })),
            ("summary", .text(summary)),
        ]
        var notes: [String] = []
        if stored == nil {
            notes.append("The store does not have it: it was never committed, or retention took it.")
        } else if !order.moments.contains(where: { $0.entry.kind == .accepted }) {
            notes.append(
                "No node remembers that it accepted it: the node's ring has gone on since, or its file is not here."
                    + " What the store knows is below.")
        }
        for (index, shift) in order.shifts.sorted(by: { $0.key < $1.key }) {
            notes.append(
                "The clock of \(life.collection.lives[index].node) is at least \(Self.milliseconds(shift)) ms behind the"
                    + " sender's node's: its times are in the order of cause and effect, as much later.")
        }
        if life.collection.lives.contains(where: { $0.answer?.isTruncated == true }) {
            notes.append("A node remembers more of it than an answer holds.")
        }
        report.tables = [lifeTable, devices, Self.nodes(life.collection)]
        if !notes.isEmpty {
            report.tables.append(
                InspectionReport.Table(name: "notes", columns: ["note"], rows: notes.map { [.text($0)] }))
        }
        report.warnings = warnings
        return report
    }

    private var accepted: TraceOrder.Moment? { order.moments.first { $0.entry.kind == .accepted } }

    private var bytes: InspectionReport.Value {
        let received = order.moments.first { $0.entry.kind == .received }?.entry.bytes
        return (life.stored?.bytes ?? received).map { .number(Int64($0)) } ?? .none
    }

    private var summary: String {
        let standings = TraceStanding.all(life, order)
        guard life.stored != nil || accepted != nil else { return "not accepted" }
        if standings.isEmpty { return "accepted; nobody to deliver it to" }
        let done = standings.count { $0.state == .acknowledged }
        let open = standings.filter { $0.state.isOpen }
        if open.isEmpty { return "acknowledged by \(done) of \(standings.count) devices; nothing is open" }
        let reasons = open.map { "\(handle($0.user)): \($0.state.rawValue.replacing("_", with: " "))" }
        return "acknowledged by \(done) of \(standings.count) devices; " + reasons.joined(separator: ", ")
    }

    // MARK: Tables

    private var lifeTable: InspectionReport.Table {
        var table = InspectionReport.Table(
            name: "life", columns: ["ms", "time", "node", "event", "who", "device", "detail"])
        for moment in order.moments {
            let entry = moment.entry
            table.rows.append([
                .thousandths(moment.at - order.start), Self.time(entry.at),
                .text(life.collection.lives[moment.life].node), .text(entry.kind.name), name(entry.user),
                entry.device.map { .text($0) } ?? .none, .text(entry.words),
            ])
        }
        return table
    }

    private var devices: InspectionReport.Table {
        var table = InspectionReport.Table(name: "devices", columns: ["who", "device", "name", "node", "state", "why"])
        for standing in TraceStanding.all(life, order) {
            table.rows.append([
                .text(handle(standing.user)), .text(standing.device.id.description), .text(standing.device.name),
                standing.node.map { .text($0) } ?? .none, .text(standing.state.rawValue), .text(standing.why),
            ])
        }
        return table
    }

    /// How far back each life of a node remembers, so that "nothing" can be told from "not any more".
    private static func nodes(_ collection: TraceCollector.Collection) -> InspectionReport.Table {
        var table = InspectionReport.Table(
            name: "nodes", columns: ["node", "started", "state", "told_by", "remembers_since"])
        for life in collection.lives {
            let state =
                switch life.standing {
                case .live: "up"
                case .silent: "no answer"
                case .dead: "dead"
                case .unknown: "unknown"
                }
            let teller = life.answer.map { $0.isLive ? "itself" : "its file" } ?? life.problem ?? "nobody"
            table.rows.append([
                .text(life.node), time(TraceAnchor.microseconds(ofMilliseconds: Int64(clamping: life.incarnation))),
                .text(state), .text(teller),
                time(life.answer?.since),
            ])
        }
        return table
    }

    // MARK: A ref that is nobody's, or several devices'

    static func several(
        _ ref: String, _ known: TraceCollector.Collection, _ refs: [InspectedRef]
    ) -> InspectionReport {
        var report = InspectionReport()
        report.fields = [("ref", .text(ref)), ("found", .number(Int64(known.messages.count)))]
        if known.messages.isEmpty {
            report.fields.append(("summary", .text(unknown(known))))
        } else {
            report.fields.append(("summary", .text("several devices used this ref; trace one message by its id")))
            var table = InspectionReport.Table(name: "messages", columns: ["message", "user", "device", "stored"])
            for message in known.messages.sorted(by: { "\($0)" < "\($1)" }) {
                let found = refs.first { $0.message == message }
                table.rows.append([
                    .text(message.description), found.map { .text($0.user.description) } ?? .none,
                    found.map { .text($0.device.description) } ?? .none,
                    time(found.map { TraceAnchor.microseconds(ofMilliseconds: $0.at) }),
                ])
            }
            report.tables.append(table)
        }
        let order = TraceOrder(known.lives.map { $0.answer?.entries ?? [] })
        var table = InspectionReport.Table(name: "life", columns: ["ms", "time", "node", "event", "device", "detail"])
        for moment in order.moments where [.received, .rejected, .accepted].contains(moment.entry.kind) {
            table.rows.append([
                .thousandths(moment.at - order.start), time(moment.entry.at),
                .text(known.lives[moment.life].node), .text(moment.entry.kind.name),
                moment.entry.device.map { .text($0) } ?? .none, .text(moment.entry.words),
            ])
        }
        report.tables += [table, nodes(known)]
        return report
    }

    private static func unknown(_ known: TraceCollector.Collection) -> String {
        let kinds = Set(known.lives.flatMap { $0.answer?.entries ?? [] }.map(\.kind))
        if kinds.contains(.rejected) { return "it was rejected, and is not in the store" }
        if kinds.contains(.received) {
            return "it was received and is not in the store: it is being committed, or its node died before"
        }
        return
            "it is not in the store, and no node remembers it: it never arrived, or was rejected longer ago than the "
            + "nodes remember"
    }

    // MARK: Words

    private func handle(_ user: UserID) -> String { life.users[user]?.handle ?? user.description }

    private func name(_ user: String?) -> InspectionReport.Value {
        guard let user else { return .none }
        return .text(UserID(user).map(handle) ?? user)
    }

    static func time(_ microseconds: Int64?) -> InspectionReport.Value {
        guard let microseconds, microseconds >= 0 else { return .none }
        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        // Garbled files have times of any year.
        guard seconds <= 253_402_300_799 else { return .none }
        let text = Date(timeIntervalSince1970: Double(seconds)).formatted(Date.ISO8601FormatStyle())
        return .text(text.dropLast() + "." + String(String(1_000_000 + rest).dropFirst()) + "Z")
    }

    static func milliseconds(_ microseconds: Int64) -> String {
        let text = String(1_000 + microseconds.magnitude % 1_000)
        return "\(microseconds < 0 ? "-" : "")\(microseconds.magnitude / 1_000).\(text.dropFirst())"
    }
}

extension InspectionReport {
    func warned(_ warnings: [String]) -> InspectionReport {
        var report = self
        report.warnings += warnings
        return report
    }
}
