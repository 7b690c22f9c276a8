import BatonHistory

/// What a history says of its device's connections.
extension DeviceHistory {
    /// When the device came to have a connection on which it gets what is new, and when it had none any longer, in
    /// turns.
    var connectionChanges: [(at: Int64, isOnline: Bool)] {
        var changes: [(at: Int64, isOnline: Bool)] = []
        var live: Set<UInt64> = []
        for record in records {
            guard case .connection(let connection) = record.event else { continue }
            switch connection.change {
            case .live: live.insert(connection.number)
            case .ended: live.remove(connection.number)
            case .opened, .welcomed: break
            }
            if live.isEmpty == changes.last?.isOnline ?? false { changes.append((record.moment, !live.isEmpty)) }
        }
        return changes
    }

    /// Times in which the device did not read, of its own accord.
    var pauses: [Range<Int64>] {
        var pauses: [Range<Int64>] = []
        var began: Int64?
        for record in records {
            guard case .reading(let isReading) = record.event else { continue }
            if !isReading {
                began = began ?? record.moment
            } else if let from = began {
                pauses.append(from..<max(from, record.moment))
                began = nil
            }
        }
        if let began { pauses.append(began..<Moment.last) }
        return pauses
    }
}
