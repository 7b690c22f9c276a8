package import Foundation

/// One device's history, as it was written.
package struct DeviceHistory: Sendable {
    /// The file's name, for people.
    package let name: String
    package let user: String
    package let device: String
    /// In the order of the file; the first is on line 1.
    package let records: [HistoryRecord]
    /// The device was revoked on the way: what it did is judged, what it lacks in the end is not.
    package let isRevoked: Bool

    /// - Throws: `HistoryError` where the first record does not say whose history it is.
    package init(name: String, records: [HistoryRecord], isRevoked: Bool = false) throws(HistoryError) {
        guard case .device(let user, let device, _) = records.first?.event else {
            throw HistoryError(
                description: "\(name): the first line must say whose history it is (\"event\":\"device\")")
        }
        self.name = name
        self.user = user
        self.device = device
        self.records = records
        self.isRevoked = isRevoked
    }

    /// Reads a file of JSON lines. A last line without its end is passed over: its writer was stopped.
    package init(path: String) throws(HistoryError) {
        try self.init(name: URL(fileURLWithPath: path).lastPathComponent, lines: try HistoryLines.contents(path), path)
    }

    /// Reads a file's lines.
    ///
    /// - Parameter path: the file's, for people.
    package init(name: String, lines: Data, _ path: String) throws(HistoryError) {
        var parser = HistoryLineParser()
        let records = try HistoryLines.read(lines, path) { line in
            try parser.read(UnsafeRawBufferPointer(rebasing: line))
            return try HistoryRecord(&parser)
        }
        try self.init(name: name, records: records)
    }
}
