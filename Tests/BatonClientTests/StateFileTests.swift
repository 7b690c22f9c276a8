import BatonProtocol
import Foundation
import Testing

@testable import BatonClient

@Suite("The state file")
final class StateFileTests {
    private let directory: URL
    private var path: String { directory.appending(path: "state").path }

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "baton-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    private func send(_ ref: String, bytes: Int = 5) -> WireSend {
        var send = WireSend()
        send.ref = ref
        send.user = "0000000000008"
        send.content.text = String(repeating: "x", count: bytes)
        return send
    }

    private var tokens: WireTokens {
        var tokens = WireTokens()
        tokens.user = "0000000000007"
        tokens.refreshToken = "secret"
        return tokens
    }

    @Test("What was appended is there after a restart, in order")
    func restart() throws {
        let file = try StateFile(path: path)
        try file.append([.tokens(tokens), .queued(send("b")), .queued(send("a")), .queued(send("c"))])
        try file.append([.settled(ref: "a"), .position(InboxPosition(epoch: "e", sequence: 9))])
        file.close()
        let contents = try StateFile(path: path).contents
        #expect(contents.messages.map(\.ref) == ["b", "c"])
        #expect(contents.position == InboxPosition(epoch: "e", sequence: 9))
        #expect(contents.tokens == tokens)
    }

    @Test("Wherever the last record is torn, the ones before it are there, and the file goes on")
    func tornTail() throws {
        let file = try StateFile(path: path)
        try file.append([.queued(send("1"))])
        let whole = file.bytes
        try file.append([.queued(send("2"))])
        file.close()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for end in whole..<bytes.count {
            try bytes[..<end].write(to: URL(fileURLWithPath: path))
            let torn = try StateFile(path: path)
            #expect(torn.contents.messages.map(\.ref) == ["1"])
            #expect(torn.bytes == whole)
            try torn.append([.queued(send("3"))])
            torn.close()
            let next = try StateFile(path: path)
            #expect(next.contents.messages.map(\.ref) == ["1", "3"])
        }
    }

    @Test("A flipped bit ends what is believed")
    func damage() throws {
        let file = try StateFile(path: path)
        try file.append([.queued(send("1")), .queued(send("2"))])
        file.close()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(try StateFile(path: path).contents.messages.map(\.ref) == ["1"])
    }

    @Test("Random bytes are no records, and do not trap")
    func randomBytes() throws {
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 0...200)).map { _ in UInt8.random(in: 0...255) }
            if case .record = StateRecord.read(bytes, at: 0) { #expect(Bool(false), "\(bytes)") }
        }
    }

    @Test("Most of it history, the file is rewritten and says the same")
    func compaction() throws {
        let file = try StateFile(path: path, compactedAbove: 10_000)
        try file.append([.tokens(tokens), .queued(send("kept"))])
        var largest = 0
        for number in 0..<200 {
            try file.append([.queued(send("\(number)", bytes: 200)), .settled(ref: "\(number)")])
            largest = max(largest, file.bytes)
        }
        #expect(largest < 11_000)
        try file.append([.queued(send("last"))])
        let contents = file.contents
        file.close()
        let next = try StateFile(path: path)
        #expect(next.contents.messages.map(\.ref) == ["kept", "last"])
        #expect(next.contents.tokens == contents.tokens)
    }

    @Test("A file belongs to one client, also after it was rewritten")
    func locked() throws {
        let file = try StateFile(path: path, compactedAbove: 100)
        #expect(throws: ClientError.self) { try StateFile(path: self.path) }
        for number in 0..<50 { try file.append([.queued(send("\(number)")), .settled(ref: "\(number)")]) }
        #expect(file.bytes <= 200)
        #expect(throws: ClientError.self) { try StateFile(path: self.path) }
        file.close()
        #expect(throws: ClientError.self) { try file.append([.loggedOut]) }
    }

    @Test("A record has so many bytes, and a longer one is damage")
    func recordBytes() throws {
        for (count, isRecord) in [(StateRecord.bodyBytes, true), (StateRecord.bodyBytes + 1, false)] {
            let record = StateRecord.settled(ref: String(repeating: "r", count: count))
            var bytes: [UInt8] = []
            try record.append(to: &bytes)
            if case .record(let read, let end) = StateRecord.read(bytes, at: 0) {
                #expect(isRecord && read == record && end == bytes.count)
            } else {
                #expect(!isRecord)
            }
        }
    }

    @Test("Its owner alone can read it")
    func permissions() throws {
        let file = try StateFile(path: path)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        file.close()
    }
}
