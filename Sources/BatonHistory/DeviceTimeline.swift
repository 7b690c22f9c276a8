/// A device's connections and pauses, from its history.
struct DeviceTimeline {
    struct Connection {
        let number: UInt64
        let opened: Int64
        var node: String?
        /// The record in which it was welcomed.
        var welcomed: (at: Int64, index: Int)?
        /// From here on what is for the device comes at once. Connections that a harness makes for other purposes
        /// never are.
        var live: Int64?
        var ended: (at: Int64, index: Int, isClean: Bool)?
    }

    /// In the order of their openings.
    private(set) var connections: [Connection] = []
    /// Stretches in which the device did not read.
    private(set) var pauses: [(from: Int64, to: Int64)] = []
    /// The last that is known of the device.
    private(set) var end: Int64 = 0

    init(_ records: [HistoryRecord]) {
        var open: [UInt64: Int] = [:]
        var pausedAt: Int64?
        for (index, record) in records.enumerated() {
            end = max(end, record.at)
            switch record.event {
            case .connection(let connection): change(connection, record.at, index, &open)
            case .reading(false): pausedAt = pausedAt ?? record.at
            case .reading(true):
                if let from = pausedAt { pauses.append((from, record.at)) }
                pausedAt = nil
            default: break
            }
        }
        if let pausedAt { pauses.append((pausedAt, end)) }
    }

    private mutating func change(
        _ connection: HistoryRecord.Connection, _ at: Int64, _ index: Int, _ open: inout [UInt64: Int]
    ) {
        if case .opened = connection.change {
            open[connection.number] = connections.count
            connections.append(Connection(number: connection.number, opened: at))
            return
        }
        if open[connection.number] == nil {
            open[connection.number] = connections.count
            connections.append(Connection(number: connection.number, opened: at))
        }
        guard let place = open[connection.number] else { return }
        switch connection.change {
        case .opened: break
        case .welcomed(let node):
            connections[place].node = node
            connections[place].welcomed = (at, index)
        case .live: connections[place].live = at
        case .ended(_, let isClean, _):
            connections[place].ended = (at, index, isClean)
            open[connection.number] = nil
        }
    }

    /// When a connection ended, or the last that is known of it.
    func end(of connection: Connection) -> Int64 { connection.ended?.at ?? end }

    /// The connection that was live at a moment.
    func live(at moment: Int64) -> Connection? {
        // The last that began before: the live ones do not overlap but for the time of a displacement.
        connections.last { connection in
            guard let live = connection.live else { return false }
            return live <= moment && moment <= end(of: connection)
        }
    }

    /// The end of the last pause that began before a moment, nil where there was none; `.max` for one that was not
    /// over.
    func pauseEnd(before moment: Int64) -> Int64? {
        pauses.last { $0.from < moment }.map { $0.to > moment ? .max : $0.to }
    }

    /// The parts of a stretch of time in which the device read.
    func reading(from start: Int64, to end: Int64) -> [(from: Int64, to: Int64)] {
        var parts: [(from: Int64, to: Int64)] = []
        var from = start
        for pause in pauses where pause.to > start && pause.from < end {
            if pause.from > from { parts.append((from, pause.from)) }
            from = max(from, pause.to)
        }
        if from < end { parts.append((from, end)) }
        return parts
    }
}
