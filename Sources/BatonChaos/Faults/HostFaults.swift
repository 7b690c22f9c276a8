import Foundation
import Glibc

/// What the host of one node does to it: full disks, syncs that fail or take long, a clock that is wrong.
///
/// The node is started with the library `BatonFaultShim` in it, which maps the file that is written here; what is
/// switched holds from its next call on. `Sources/BatonFaultShim` says what each field does.
package final class HostFaults: Sendable {
    /// The fields of the file, each of 64 bits.
    package enum Field: Int, CaseIterable, Sendable {
        case writeError, syncError, failingSyncs, syncDelay, clockOffset, failedWrites, failedSyncs, delayedSyncs
    }

    /// The library's file name.
    package static let libraryName = "libBatonFaultShim.so"

    package let path: String
    private let descriptor: Int32

    package init(path: String) throws {
        self.path = path
        let zeros = Data(count: Field.allCases.count * MemoryLayout<Int64>.size)
        try zeros.write(to: URL(fileURLWithPath: path))
        descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw CocoaError(.fileReadUnknown) }
    }

    deinit { close(descriptor) }

    /// The library of the programs that were built beside this one; nil where it was not built.
    package static func library(besides executable: String) -> String? {
        let path = URL(fileURLWithPath: executable).deletingLastPathComponent().appendingPathComponent(libraryName).path
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    /// The environment of a program that is to see these faults.
    ///
    /// - Parameter files: those whose path begins so are the ones that writes and syncs fail for.
    package func environment(library: String, files: String) -> [String: String] {
        let resolved = URL(fileURLWithPath: files).deletingLastPathComponent().resolvingSymlinksInPath()
            .appendingPathComponent(URL(fileURLWithPath: files).lastPathComponent).path
        return ["LD_PRELOAD": library, "FAULT_SHIM_CONTROL": path, "FAULT_SHIM_FILES": resolved]
    }

    // MARK: Faults

    /// Writes fail as on a full disk.
    package func fillDisk(_ isFull: Bool = true) { set(.writeError, isFull ? Int64(ENOSPC) : 0) }

    /// Syncs fail, a few or, without a number, all.
    package func failSyncs(_ count: Int? = nil) {
        set(.failingSyncs, count.map(Int64.init) ?? -1)
        set(.syncError, Int64(EIO))
    }

    package func delaySyncs(by delay: Duration) { set(.syncDelay, Self.nanoseconds(delay) / 1000) }

    package func setClock(wrongBy offset: Duration) { set(.clockOffset, Self.nanoseconds(offset)) }

    /// Nothing is broken.
    package func heal() {
        for field in [Field.writeError, .syncError, .failingSyncs, .syncDelay, .clockOffset] { set(field, 0) }
    }

    /// What a field says; the last three count what has happened.
    package func value(of field: Field) -> Int64 {
        var value: Int64 = 0
        _ = pread(descriptor, &value, MemoryLayout<Int64>.size, off_t(field.rawValue * MemoryLayout<Int64>.size))
        return value
    }

    private func set(_ field: Field, _ value: Int64) {
        var value = value
        _ = pwrite(descriptor, &value, MemoryLayout<Int64>.size, off_t(field.rawValue * MemoryLayout<Int64>.size))
    }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
