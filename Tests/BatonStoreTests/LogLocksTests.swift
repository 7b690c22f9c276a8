import Testing

@testable import BatonStore

@Suite("The locks on a store's log")
struct LogLocksTests {
    /// A header whose log has 500 frames, and readers' marks.
    private func header(_ marks: UInt32...) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 136)
        func put(_ value: UInt32, at offset: Int) {
            withUnsafeBytes(of: value) { header.replaceSubrange(offset..<offset + 4, with: $0) }
        }
        put(500, at: 16)
        for (slot, mark) in marks.enumerated() { put(mark, at: 100 + 4 * slot) }
        return header
    }

    private func look(_ locks: String, _ header: [UInt8]) -> LogLocks {
        LogLocks(locks: locks, inode: 77, device: (0xFE, 0x1), header: header)
    }

    @Test("Readers of less than the whole log, and the writer, are found among all locks of the host")
    func found() {
        let header = header(0, 500, 300, 400, .max)
        let locks = look(
            """
            1: POSIX  ADVISORY  READ 10 fe:01:77 124 124
            2: POSIX  ADVISORY  READ 11 fe:01:77 125 125
            3: POSIX  ADVISORY  READ 12 fe:01:77 126 128
            4: POSIX  ADVISORY  READ 13 fe:01:77 123 123
            5: POSIX  ADVISORY  READ 14 fe:01:77 128 128
            6: POSIX  ADVISORY  WRITE 15 fe:01:77 120 120
            7: -> POSIX  ADVISORY  WRITE 16 fe:01:77 120 120
            8: POSIX  ADVISORY  READ 17 fe:01:78 125 125
            9: POSIX  ADVISORY  READ 18 fe:02:77 125 125
            10: FLOCK  ADVISORY  READ 19 fe:01:77 0 EOF
            11: POSIX  ADVISORY  READ 20 fe:01:77 EOF
            nonsense
            """, header)
        #expect(locks.writer == 15)
        #expect(
            locks.readers == [
                .init(pid: 11, mark: 300), .init(pid: 12, mark: 400), .init(pid: 13, mark: 0),
            ])
    }

    @Test("Who held a lock at both looks without going on is told, who came, went or went on is not")
    func held() {
        let first = look(
            "1: POSIX ADVISORY READ 11 fe:01:77 125 125\n2: POSIX ADVISORY READ 12 fe:01:77 126 126", header(0, 0, 3, 4)
        )
        let second = look(
            "1: POSIX ADVISORY READ 11 fe:01:77 125 125\n2: POSIX ADVISORY READ 12 fe:01:77 126 126", header(0, 0, 3, 9)
        )
        #expect(second.held(since: first).readers == [.init(pid: 11, mark: 3)])
        let writing = look("1: POSIX ADVISORY WRITE 15 fe:01:77 120 120", header())
        #expect(writing.held(since: writing).writer == 15)
        #expect(writing.held(since: first).writer == nil)
        let busy = LogLocks(writer: 15, readers: [], frames: 501)
        #expect(busy.held(since: writing).writer == nil)
    }

    @Test("Where there is no such file, or half of one, nobody holds anything")
    func nothing() {
        #expect(LogLocks(path: "/nowhere/at/all") == LogLocks(writer: nil, readers: []))
        #expect(look("1: POSIX ADVISORY READ 11 fe:01:77 125 125", []).readers.isEmpty)
    }
}
