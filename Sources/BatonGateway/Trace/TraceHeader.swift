package import BatonCore
import Glibc

/// Pairs a moment of the host's monotonic clock with civil time: nanoseconds, both, the latter since 1970.
package struct TraceAnchor: Hashable, Sendable {
    package var monotonic: UInt64
    package var civil: Int64

    package init(monotonic: UInt64, civil: Int64) {
        self.monotonic = monotonic
        self.civil = civil
    }

    /// Microseconds since 1970 of a moment of the monotonic clock.
    package func civilMicroseconds(_ time: UInt64) -> Int64 {
        (civil &+ Int64(truncatingIfNeeded: time &- monotonic)) / 1_000
    }

    /// Microseconds of so many milliseconds; those that no clock shows stay at the end of the range.
    package static func microseconds(ofMilliseconds milliseconds: Int64) -> Int64 {
        let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000)
        return overflow ? (milliseconds < 0 ? .min : .max) : product
    }

    func write(to base: UnsafeMutableRawPointer) {
        base.storeBytes(of: monotonic, toByteOffset: TraceHeader.anchorOffset, as: UInt64.self)
        base.storeBytes(of: civil, toByteOffset: TraceHeader.anchorOffset + 8, as: Int64.self)
    }

    /// The host's civil time, finer than the port's milliseconds: two nodes of one host are often a hint of 0.2 ms apart.
    package static func civilNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// What stands at the beginning of a trace's file: whose it is, how long, how far it was written, and what time it was.
///
/// Numbers are the host's: a trace is read where it was written, by the same version of the program.
package struct TraceHeader: Hashable, Sendable {
    package var node: String
    package var incarnation: UInt64
    package var loop: UInt32
    package var capacity: UInt64 = 0
    package var written: UInt64 = 0
    package var anchor = TraceAnchor(monotonic: 0, civil: 0)

    /// Two cache lines, so that records begin at one.
    static let bytes = 128
    static let writtenOffset = 32
    static let anchorOffset = 40
    private static let nodeOffset = 64
    /// Changes with the form of the file.
    private static let magic: UInt64 = 0x4241_544f_4e54_5231

    package init(node: NodeID, incarnation: UInt64, loop: Int) {
        self.node = node.name
        self.incarnation = incarnation
        self.loop = UInt32(clamping: loop)
    }

    static func fileBytes(_ events: Int) -> Int { bytes + events * TraceRecord.bytes }

    package static let fileSuffix = ".trace"
    var fileName: String { "\(node)-\(loop)\(Self.fileSuffix)" }
    var previousFileName: String { "\(node)-\(loop).previous\(Self.fileSuffix)" }

    func write(to base: UnsafeMutableRawPointer) {
        base.storeBytes(of: Self.magic, toByteOffset: 0, as: UInt64.self)
        base.storeBytes(of: capacity, toByteOffset: 8, as: UInt64.self)
        base.storeBytes(of: incarnation, toByteOffset: 16, as: UInt64.self)
        base.storeBytes(of: loop, toByteOffset: 24, as: UInt32.self)
        base.storeBytes(of: UInt32(TraceRecord.bytes), toByteOffset: 28, as: UInt32.self)
        base.storeBytes(of: written, toByteOffset: Self.writtenOffset, as: UInt64.self)
        anchor.write(to: base)
        for (index, byte) in node.utf8.prefix(NodeID.maximumLength).enumerated() {
            base.storeBytes(of: byte, toByteOffset: Self.nodeOffset + index, as: UInt8.self)
        }
    }

    /// - Parameters:
    ///   - file: its beginning, or all of it.
    ///   - count: its length.
    /// - Returns: nil for anything but a header of this form whose records follow in full.
    package init?(_ file: [UInt8], ofFileOf count: Int) {
        guard file.count >= Self.bytes else { return nil }
        func number<Number: FixedWidthInteger>(_ offset: Int, as: Number.Type) -> Number {
            file.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
        }
        let capacity = number(8, as: UInt64.self)
        guard number(0, as: UInt64.self) == Self.magic,
            number(28, as: UInt32.self) == UInt32(TraceRecord.bytes), capacity > 0,
            capacity <= UInt64(Limits.Trace.maximumEvents), Self.fileBytes(Int(capacity)) == count,
            let node = NodeID(
                String(
                    decoding: file[Self.nodeOffset..<Self.nodeOffset + NodeID.maximumLength].prefix { $0 != 0 },
                    as: UTF8.self))
        else { return nil }
        self.init(node: node, incarnation: number(16, as: UInt64.self), loop: Int(number(24, as: UInt32.self)))
        self.capacity = capacity
        written = number(Self.writtenOffset, as: UInt64.self)
        anchor = TraceAnchor(
            monotonic: number(Self.anchorOffset, as: UInt64.self),
            civil: number(Self.anchorOffset + 8, as: Int64.self))
    }
}
