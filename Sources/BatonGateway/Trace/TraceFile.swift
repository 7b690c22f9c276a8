import BatonCore
import Foundation

/// A ring as a node left it, read from its file: by its survivors' operator, or beside the node that still writes to it.
///
/// It is read and not mapped, so that one that is cut off under the reader's hands is a short file and no fault.
package struct TraceFile: Sendable {
    package let header: TraceHeader
    private let bytes: [UInt8]

    package init(path: String) throws(TraceFileError) {
        let limit = TraceHeader.fileBytes(Limits.Trace.maximumEvents)
        let contents: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            contents = try handle.read(upToCount: limit + 1) ?? Data()
        } catch {
            throw TraceFileError("\(path) cannot be read: \(error.localizedDescription)")
        }
        let bytes = [UInt8](contents)
        guard let header = TraceHeader(bytes, ofFileOf: bytes.count) else {
            throw TraceFileError("\(path) is no trace of this version, or was cut off")
        }
        self.header = header
        self.bytes = bytes
    }

    /// Whose file it is, without its records.
    package static func header(of path: String) throws(TraceFileError) -> TraceHeader {
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            let count = try handle.seekToEnd()
            try handle.seek(toOffset: 0)
            let bytes = [UInt8](try handle.read(upToCount: TraceHeader.bytes) ?? Data())
            if let header = TraceHeader(bytes, ofFileOf: Int(clamping: count)) { return header }
        } catch {
            throw TraceFileError("\(path) cannot be read: \(error.localizedDescription)")
        }
        throw TraceFileError("\(path) is no trace of this version, or was cut off")
    }

    /// Positions of its records. The oldest of a full ring may have been half overwritten, and is left out.
    package var positions: Range<UInt64> {
        let held = min(header.written, header.capacity - 1)
        return header.written - held..<header.written
    }

    package subscript(position: UInt64) -> TraceRecord {
        let offset = TraceHeader.bytes + Int(position % header.capacity) * TraceRecord.bytes
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: TraceRecord.self) }
    }

    /// When its oldest record was made, in microseconds since 1970; the node's start where nothing was overwritten.
    package var since: Int64 {
        guard header.written >= header.capacity, let first = positions.first else {
            return TraceAnchor.microseconds(ofMilliseconds: Int64(clamping: header.incarnation))
        }
        return header.anchor.civilMicroseconds(self[first].time)
    }

    /// The traces of a folder, read one by one since each may be large. None where there is no folder.
    package static func paths(in folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(TraceHeader.fileSuffix) }.sorted().prefix(Limits.Trace.files).map {
            folder + "/" + $0
        }
    }
}

/// Why a trace cannot be kept in a file, or read from one.
package struct TraceFileError: Error, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
