import Foundation
import Synchronization

/// Writes one history, a device's or the harness' own, a JSON object a line.
package final class HistoryFile: Sendable {
    private struct State {
        var handle: FileHandle?
        var pending = Data()
        var failure: String?
    }

    /// Bytes that are collected before they are written.
    private static let chunk = 64 * 1024

    package let path: String
    private let began: ContinuousClock.Instant
    private let state: Mutex<State>

    /// - Parameter began: where the histories' clock stands at zero.
    package init(path: String, began: ContinuousClock.Instant) throws {
        self.path = path
        self.began = began
        let own: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: own) else {
            throw HistoryError(description: "\(path) cannot be written; choose another --directory")
        }
        state = Mutex(State(handle: try FileHandle(forWritingTo: URL(fileURLWithPath: path))))
    }

    /// Nanoseconds on the histories' clock.
    package var now: Int64 { Self.nanoseconds(ContinuousClock.now - began) }

    package func append(_ event: HistoryRecord.Event) { append(event, at: now) }

    /// A line that tells of an earlier moment.
    package func append(_ event: HistoryRecord.Event, at moment: Int64) {
        append(line: HistoryRecord(at: moment, event))
    }

    /// A line of the harness' own history.
    package func append(_ event: ClusterRecord.Event) { append(line: ClusterRecord(at: now, event)) }

    private func append(line record: some Encodable) {
        guard let line = Self.encode(record) else { return }
        state.withLock { state in
            state.pending.append(line)
            state.pending.append(UInt8(ascii: "\n"))
            if state.pending.count >= Self.chunk { Self.write(&state) }
        }
    }

    private static func encode(_ record: some Encodable) -> Data? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try? encoder.encode(record)
    }

    /// A record as it stands in a file.
    package static func line(_ record: some Encodable) -> String {
        encode(record).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Writes what is left and ends the file.
    package func close() throws {
        let failure = state.withLock { state -> String? in
            Self.write(&state)
            try? state.handle?.close()
            state.handle = nil
            return state.failure
        }
        if let failure { throw HistoryError(description: "\(path) could not be written: \(failure)") }
    }

    private static func write(_ state: inout State) {
        guard !state.pending.isEmpty, let handle = state.handle else { return }
        do {
            try handle.write(contentsOf: state.pending)
        } catch {
            state.failure = state.failure ?? String(describing: error)
        }
        state.pending.removeAll(keepingCapacity: true)
    }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}

/// A history that cannot be written or read, and what to do.
package struct HistoryError: Error, CustomStringConvertible {
    package let description: String
}
