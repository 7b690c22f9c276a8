import BatonCore
import BatonHistory
import Foundation
import Testing

@Suite("Histories on disk")
struct HistoryFileTests {
    private let path = NSTemporaryDirectory() + "history-\(UUID().uuidString).jsonl"

    private static let events: [HistoryRecord.Event] = [
        .device(user: "ann", device: "a1"),
        .invoked(ref: "r1", conversation: "c", recipients: ["bob"], body: 7),
        .ok(ref: "r1", conversation: "c", sequence: 1), .failed(ref: "r2", code: "blocked"), .unknown(ref: "r3"),
        .applied(.init(inbox: 3, conversation: "c", sequence: 2, device: "b1", ref: "x", body: nil)),
        .receipt(.init(inbox: 4, conversation: "c", user: "bob", delivered: 2, read: 1)),
        .read(conversation: "c", sequence: 2), .resync("truncated"), .sent(ref: "r1", connection: 3),
        .received(inbox: 5, connection: 3), .acked(inbox: 4), .watching(["ann", "bob"]), .watching([]),
        .presence(user: "bob", isOnline: false), .device(user: "ann", device: "a1", encoding: "baton.v1.json"),
        .typed(conversation: "c", recipients: ["bob"], isActive: true),
        .typing(conversation: "c", user: "bob", isActive: false), .blocked(user: "bob"),
        .unread(conversation: "c", count: 1, read: 2, last: 3), .reading(false), .reading(true),
        .connection(.init(1, .opened(address: "http://127.0.0.1:1"))), .connection(.init(1, .welcomed(node: "n1"))),
        .connection(.init(1, .live)), .connection(.init(1, .ended(code: 4_002, isClean: true, why: "a \"newer\" ü\n"))),
        .connection(.init(.max, .ended(code: nil, isClean: false, why: ""))),
    ]

    @Test("Each kind of line is read as it was written")
    func roundTrip() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try HistoryFile(path: path, began: .now)
        for event in Self.events { file.append(event) }
        try file.close()
        let history = try DeviceHistory(path: path)
        #expect(history.records.map(\.event) == Self.events)
        #expect((history.user, history.device) == ("ann", "a1"))
        #expect(zip(history.records, history.records.dropFirst()).allSatisfy { $0.at <= $1.at })
    }

    @Test("A last line that was cut off is passed over, any other wrong line is named")
    func damaged() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = #"{"at":1,"event":"device","user":"ann","device":"a1"}"# + "\n"
        try Data((first + #"{"at":2,"ev"#).utf8).write(to: URL(fileURLWithPath: path))
        #expect(try DeviceHistory(path: path).records.count == 1)
        try Data((first + "{}\n").utf8).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: HistoryError.self) { try DeviceHistory(path: path) }
        #expect(error?.description.contains("\(path):2") == true)
        try Data("{}".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: HistoryError.self) { try DeviceHistory(path: path) }
    }

    @Test("Random bytes are an error, never a crash")
    func randomBytes() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let count = Int.random(in: 0..<200, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) } + [10]
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            #expect(throws: HistoryError.self) { try DeviceHistory(path: path) }
        }
    }
}
