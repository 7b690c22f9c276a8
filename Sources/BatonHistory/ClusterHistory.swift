package import Foundation

/// The harness' own history of a run, as it was written.
package struct ClusterHistory: Sendable {
    /// The file's name in a run's directory of histories.
    package static let fileName = "cluster.jsonl"

    /// The file's name, for people.
    package let name: String
    /// In the order of the file; the first is on line 1.
    package let records: [ClusterRecord]

    package init(name: String = ClusterHistory.fileName, records: [ClusterRecord]) {
        self.name = name
        self.records = records
    }

    /// Reads a file of JSON lines. A last line without its end is passed over: its writer was stopped.
    package init(path: String) throws(HistoryError) {
        try self.init(name: URL(fileURLWithPath: path).lastPathComponent, lines: try HistoryLines.contents(path), path)
    }

    /// Reads a file's lines.
    ///
    /// - Parameter path: the file's, for people.
    package init(name: String = ClusterHistory.fileName, lines: Data, _ path: String) throws(HistoryError) {
        let decoder = JSONDecoder()
        self.init(
            name: name,
            records: try HistoryLines.read(lines, path) { try decoder.decode(ClusterRecord.self, from: Data($0)) })
    }

    /// When a stage began; nil where it did not.
    package func start(of stage: ClusterRecord.Stage) -> Int64? {
        records.first { $0.event == .stage(stage) }?.at
    }
}

/// All histories of a run.
package struct RunHistories: Sendable {
    package var devices: [DeviceHistory] = []
    /// nil where the harness wrote none.
    package var cluster: ClusterHistory?

    package init(devices: [DeviceHistory], cluster: ClusterHistory? = nil) {
        self.devices = devices
        self.cluster = cluster
    }

    /// Reads files of both kinds; the harness' own is known by its name.
    package init(paths: [String]) throws(HistoryError) {
        for path in paths {
            guard URL(fileURLWithPath: path).lastPathComponent == ClusterHistory.fileName else {
                devices.append(try DeviceHistory(path: path))
                continue
            }
            guard cluster == nil else {
                throw HistoryError(description: "\(path): a run has one \(ClusterHistory.fileName)")
            }
            cluster = try ClusterHistory(path: path)
        }
    }
}

/// Files of JSON lines.
enum HistoryLines {
    static func contents(_ path: String) throws(HistoryError) -> Data {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw HistoryError(description: "\(path) cannot be read")
        }
        return data
    }

    /// Decodes line by line. A last line without its end is passed over: its writer was stopped.
    ///
    /// - Throws: an error that names the line which cannot be decoded.
    static func read<Record>(
        _ data: Data, _ path: String, _ decode: (Slice<UnsafeRawBufferPointer>) throws -> Record
    ) throws(HistoryError) -> [Record] {
        let result = data.withUnsafeBytes { bytes -> Result<[Record], HistoryError> in
            var records: [Record] = []
            var rest = bytes[...]
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                do {
                    records.append(try decode(rest[..<end]))
                } catch {
                    return .failure(
                        HistoryError(description: "\(path):\(records.count + 1) is no line of a history: \(error)"))
                }
                rest = rest[(end + 1)...]
            }
            return .success(records)
        }
        return try result.get()
    }
}
