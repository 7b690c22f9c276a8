import BatonCore
import Foundation
import Testing

@testable import BatonGateway

@Suite("A trace's ring")
struct TraceRingTests {
    @Test("It keeps the newest records, as many as it was made for")
    func wrapsAround() {
        let ring = TraceRing(events: 4)
        #expect(ring.isOn && ring.oldest == 0 && ring[0] == nil)
        for time in 1...4 { ring.record(TraceRecord(.received, at: UInt64(time))) }
        #expect(ring.oldest == 0 && Self.times(ring) == [1, 2, 3, 4])
        for time in 5...9 { ring.record(TraceRecord(.received, at: UInt64(time))) }
        #expect(ring.written == 9 && ring.oldest == 5)
        #expect(Self.times(ring) == [6, 7, 8, 9])
        #expect(ring[4] == nil && ring[9] == nil)
    }

    @Test("With zero events it is off; more than the limit are not to be had")
    func bounds() {
        let off = TraceRing(events: 0)
        off.record(TraceRecord(.received, at: 1))
        #expect(!off.isOn && off.written == 0 && off.oldest == 0 && off[0] == nil)
        #expect(TraceRing(events: -1).capacity == 0)
        #expect(TraceRing(events: .max).capacity == Limits.Trace.maximumEvents)
    }

    @Test("A record is 64 bytes, and a rejection's code is read back from it")
    func record() {
        #expect(MemoryLayout<TraceRecord>.size == TraceRecord.bytes)
        #expect(MemoryLayout<TraceRecord>.stride == TraceRecord.bytes)
        var record = TraceRecord(.rejected, at: 1)
        for code in ["", "a", "unknown_conversation", String(repeating: "x", count: 24)] {
            record.code = code
            #expect(record.code == code)
        }
        record.code = String(repeating: "y", count: 40)
        #expect(record.code == String(repeating: "y", count: 24))
        record.code = "a\u{1b}[2J"
        #expect(record.code == "a?[2J")
    }

    @Test("Refs that differ have hashes that differ, whatever their length")
    func refs() {
        var hashes: Set<UInt64> = []
        for number in 0..<10_000 { hashes.insert(RefHash.of("ref \(number)")) }
        for count in 1...Limits.Message.refBytes { hashes.insert(RefHash.of(String(repeating: "\0", count: count))) }
        #expect(hashes.count == 10_000 + Limits.Message.refBytes)
        #expect(RefHash.of("é-1") == RefHash.of(String(decoding: Array("é-1".utf8), as: UTF8.self)))
    }

    @Test("A moment of the monotonic clock is told in civil time, before and after the anchor")
    func anchor() {
        let anchor = TraceAnchor(monotonic: 5_000_000, civil: 1_800_000_000_000_000_000)
        #expect(anchor.civilMicroseconds(5_001_000) == 1_800_000_000_000_001)
        #expect(anchor.civilMicroseconds(4_000_000) == 1_799_999_999_999_000)
    }

    private static func times(_ ring: TraceRing) -> [UInt64] {
        (ring.oldest..<ring.written).compactMap { ring[$0]?.time }
    }
}

@Suite("A trace's file")
struct TraceFileTests {
    private static let header = NodeID("n1").map { TraceHeader(node: $0, incarnation: 7, loop: 3) }

    @Test("What was written is in the file while the ring lives, and after it")
    func survives() throws {
        try Self.withFolder { folder in
            var ring: TraceRing? = try Self.ring(3, in: folder)
            ring?.anchor(monotonic: 10, civil: 20)
            for time in 1...2 { ring?.record(TraceRecord(.written, at: UInt64(time))) }
            let path = try #require(TraceFile.paths(in: folder).first)
            #expect(try Self.times(path) == [1, 2])
            for time in 3...5 { ring?.record(TraceRecord(.written, at: UInt64(time))) }
            ring = nil
            // The oldest of a full ring may be half overwritten.
            #expect(try Self.times(path) == [4, 5])
            let header = try TraceFile(path: path).header
            #expect(header.node == "n1" && header.incarnation == 7 && header.loop == 3 && header.capacity == 3)
            #expect(header.anchor == TraceAnchor(monotonic: 10, civil: 20))
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test("A node that starts again keeps the trace of its life before, and that one only")
    func previousLife() throws {
        try Self.withFolder { folder in
            for life in 1...3 {
                let ring = try Self.ring(4, in: folder)
                ring.record(TraceRecord(.written, at: UInt64(life)))
            }
            #expect(try TraceFile.paths(in: folder).map(Self.times) == [[2], [3]])
        }
    }

    @Test("A file that is cut off, garbled or of another form is refused, and traps nothing")
    func garbled() throws {
        try Self.withFolder { folder in
            let ring = try Self.ring(4, in: folder)
            for time in 1...9 { ring.record(TraceRecord(.written, at: UInt64(time))) }
            let path = try #require(TraceFile.paths(in: folder).first)
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            let copy = URL(fileURLWithPath: folder + "/copy.trace")
            for count in [0, 1, 127, 128, bytes.count - 1] {
                try bytes.prefix(count).write(to: copy)
                #expect(throws: TraceFileError.self) { try TraceFile(path: copy.path) }
            }
            for offset in 0..<TraceHeader.bytes {
                for value: UInt8 in [0, 0x7f, 0xff] {
                    var garbled = bytes
                    garbled[offset] = value
                    try garbled.write(to: copy)
                    guard let file = try? TraceFile(path: copy.path) else { continue }
                    var scan = TraceScan(TraceKeys())
                    scan.look(at: file)
                    #expect(scan.entries.isEmpty && file.positions.count <= 3)
                }
            }
            #expect(throws: TraceFileError.self) { try TraceFile(path: folder) }
            #expect(throws: TraceFileError.self) { try TraceFile(path: folder + "/none.trace") }
        }
    }

    @Test("Records of any bytes are looked at without harm, and make an answer of limited size")
    func anyBytes() throws {
        var generator = SystemRandomNumberGenerator()
        var keys = try #require(TraceKeys("r1"))
        let user = UserID(rawValue: 1)
        keys.add(InboxSequence(rawValue: 5), of: user)
        var scan = TraceScan(keys)
        for round in 0..<20_000 {
            var record = TraceRecord(.received, at: generator.next())
            record.kind = UInt8.random(in: 0...20)
            record.user = Bool.random() ? 1 : generator.next()
            record.place = round % 3 == 0 ? RefHash.of("r1") : UInt64.random(in: 0...10)
            (record.high, record.low, record.sequence) = (generator.next(), generator.next(), generator.next())
            record.device = generator.next()
            scan.look(at: record, on: 0, anchor: TraceAnchor(monotonic: .max, civil: .min))
        }
        #expect(scan.isTruncated && scan.entries.count == Limits.Trace.entries)
        #expect(scan.keys.messages.count <= Limits.Trace.keys && scan.keys.placeCount <= Limits.Trace.keys)
        let data = try JSONEncoder().encode(scan.entries)
        #expect(try JSONDecoder().decode([TraceEntry].self, from: data) == scan.entries)
    }

    @Test("Of a folder with more files than are read, so many are")
    func manyFiles() throws {
        try Self.withFolder { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for number in 0...Limits.Trace.files {
                #expect(FileManager.default.createFile(atPath: "\(folder)/\(number).trace", contents: nil))
            }
            #expect(FileManager.default.createFile(atPath: folder + "/other", contents: nil))
            #expect(TraceFile.paths(in: folder).count == Limits.Trace.files)
            #expect(TraceFile.paths(in: folder + "/none").isEmpty)
        }
    }

    @Test("A folder that cannot be written to says so")
    func noFolder() {
        #expect(throws: TraceFileError.self) { try Self.ring(4, in: "/proc/none") }
    }

    private static func ring(_ events: Int, in folder: String) throws -> TraceRing {
        try TraceRing(events: events, header: try #require(header), in: folder)
    }

    private static func times(_ path: String) throws -> [UInt64] {
        let file = try TraceFile(path: path)
        return file.positions.map { file[$0].time }
    }

    private static func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "baton-trace-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }
}
