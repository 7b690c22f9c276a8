import BatonCore
import Glibc

/// The last moments of one event loop: so many records, the oldest overwritten by the newest.
///
/// Written on its loop only, without locks, allocations or system calls. Where it has a file, that is the memory itself, so
/// that what a killed node did last can still be read: `TraceFile` does so.
package final class TraceRing {
    /// Records that it keeps; zero where tracing is off.
    package let capacity: Int
    /// Records that were ever written.
    package private(set) var written: UInt64 = 0
    private var slot = 0
    private let memory: TraceMemory?

    private init(capacity: Int, memory: TraceMemory?) {
        self.capacity = capacity
        self.memory = memory
    }

    /// In the process' own memory; off where even that cannot be had.
    package convenience init(events: Int) {
        let events = min(max(0, events), Limits.Trace.maximumEvents)
        let memory = events > 0 ? try? TraceMemory.anonymous(count: TraceHeader.fileBytes(events)) : nil
        self.init(capacity: memory == nil ? 0 : events, memory: memory)
    }

    /// In a file. That of the same name from the node's life before is kept, under its `previous` name.
    convenience init(events: Int, header: TraceHeader, in folder: String) throws(TraceFileError) {
        let events = min(max(1, events), Limits.Trace.maximumEvents)
        let path = folder + "/" + header.fileName
        mkdir(folder, 0o700)
        do throws(TraceMemory.Failure) {
            let memory = try TraceMemory.file(path + ".new", count: TraceHeader.fileBytes(events))
            var header = header
            header.capacity = UInt64(events)
            header.write(to: memory.base)
            // Only now is it one: whoever reads meanwhile sees the one before, or this.
            rename(path, folder + "/" + header.previousFileName)
            guard rename(path + ".new", path) == 0 else {
                throw TraceMemory.Failure(step: "renaming \(path).new", code: errno)
            }
            self.init(capacity: events, memory: memory)
        } catch {
            throw TraceFileError("\(error)")
        }
    }

    package var isOn: Bool { capacity > 0 }

    @inline(__always)
    package func record(_ record: TraceRecord) {
        guard let memory, capacity > 0 else { return }
        memory.base.storeBytes(
            of: record, toByteOffset: TraceHeader.bytes + slot * TraceRecord.bytes, as: TraceRecord.self)
        slot = slot + 1 == capacity ? 0 : slot + 1
        written += 1
        // Behind the record: who reads the file of a node that was killed here must not count one too many.
        memory.base.storeBytes(of: written, toByteOffset: TraceHeader.writtenOffset, as: UInt64.self)
    }

    /// Which civil time a moment of the monotonic clock was. Said again once a second, so that a clock that was put right
    /// puts the records' times right too.
    package func anchor(monotonic: UInt64, civil: Int64) {
        anchor = TraceAnchor(monotonic: monotonic, civil: civil)
        memory.map { anchor.write(to: $0.base) }
    }

    package private(set) var anchor = TraceAnchor(monotonic: 0, civil: 0)

    /// The oldest record that is still there; equal to `written` where there is none.
    package var oldest: UInt64 { written - min(written, UInt64(capacity)) }

    package subscript(position: UInt64) -> TraceRecord? {
        guard let memory, position >= oldest, position < written else { return nil }
        let slot = Int(position % UInt64(capacity))
        return memory.base.load(
            fromByteOffset: TraceHeader.bytes + slot * TraceRecord.bytes, as: TraceRecord.self)
    }
}

@available(*, unavailable) extension TraceRing: Sendable {}
