import BatonHistory
import Foundation
import Testing

@Suite("Lines of histories that are none")
struct HistoryLineTests {
    private static let first = #"{"at":1,"event":"device","user":"ann","device":"a1"}"#

    /// Reads a file of two lines, of which the first is sound.
    private func error(of line: String, as name: String? = nil) throws -> String? {
        let folder = NSTemporaryDirectory() + "lines-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/\(name ?? "u1-d1.jsonl")"
        let first = name == nil ? Self.first : #"{"at":1,"event":"stage","stage":"load"}"#
        try Data("\(first)\n\(line)\n".utf8).write(to: URL(fileURLWithPath: path))
        do {
            _ = try RunHistories(paths: [path])
            return nil
        } catch {
            #expect(error.description.hasPrefix("\(path):2 is no line of a history: "), "\(error)")
            return error.description
        }
    }

    @Test(
        "Each wrong line is named with its file and number, and what is wrong with it",
        arguments: [
            ("", #"no "{""#), (#"{"at":2,"event":"ok","ref":"r"#, "a text without an end"),
            (#"{"at":2"#, #"no "}""#), (#"{"at":2,"event":"acked","inbox":5}}"#, "something follows"),
            (#"{"at":2,"event":"acked","inbox":18446744073709551616}"#, "too large"),
            (#"{"at":9223372036854775808,"event":"live"}"#, "no event"),
            (#"{"at":9223372036854775808,"event":"acked","inbox":1}"#, "too large"),
            (#"{"at":2,"event":"acked","inbox":-1}"#, "a number from 0 on"),
            (#"{"at":2,"event":"acked","inbox":1.5}"#, "not whole"),
            (#"{"at":2,"event":"acked","inbox":"1"}"#, "inbox"),
            (#"{"at":2,"event":"acked"}"#, "is not there"), (#"{"at":2,"at":3,"event":"acked","inbox":1}"#, "twice"),
            (#"{"at":2,"event":"vanished"}"#, #"there is no event "vanished""#),
            (#"{"event":"acked","inbox":1}"#, "at"),
            (#"{"at":2,"event":"connection","number":1,"state":"x"}"#, #"there is no state "x""#),
            (#"{"at":2,"event":"connection","number":1,"state":"ended","code":65536,"clean":true,"why":""}"#, "large"),
            (#"{"at":2,"event":"resync","why":"\q"}"#, "escape"), (#"{"at":2,"event":"watching","users":[1]}"#, "text"),
            ("[1,2]", #"no "{""#), (#"{"at":2,"event":"acked","inbox":1,"x":{"y":1}}"#, "no value"),
        ])
    func wrong(line: String, saying what: String) throws {
        let error = try #require(try error(of: line))
        #expect(error.contains(what), "\(error)")
    }

    @Test("Bytes that are no UTF-8 are named, too")
    func wrongBytes() throws {
        let path = NSTemporaryDirectory() + "bytes-\(UUID().uuidString).jsonl"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var bytes = Array("\(Self.first)\n{\"at\":2,\"event\":\"unknown\",\"ref\":\"".utf8)
        bytes += [0xff, 0xfe] + Array("\"}\n".utf8)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: HistoryError.self) { try DeviceHistory(path: path) }
        #expect(error?.description.contains("\(path):2") == true)
        #expect(error?.description.contains("not UTF-8") == true)
    }

    @Test("Fields that are not known, blanks and null are passed over")
    func tolerated() throws {
        let line =
            #" { "at" : 2 , "x" : "y", "z" : [ "a" , "b" ], "n": null, "event" : "acked" , "inbox" : 18446744073709551615 } "#
        #expect(try error(of: line) == nil)
    }

    @Test("The largest numbers break invariants, and nothing else")
    func largest() throws {
        let records: [HistoryRecord.Event] = [
            .device(user: "ann", device: "a1"),
            .applied(.init(inbox: .max, conversation: "c", sequence: .max, device: "b1", ref: "r", body: .max)),
            .applied(.init(inbox: 0, conversation: "c", sequence: 0, device: "b1", ref: "s", body: 0)),
            .receipt(.init(inbox: .max, conversation: "c", user: "ann", delivered: .max, read: .max)),
            .received(inbox: .max, connection: .max), .received(inbox: 0, connection: .max), .acked(inbox: .max),
            .unread(conversation: "c", count: .max, read: 0, last: .max),
            .connection(.init(.max, .ended(code: .max, isClean: false, why: ""))), .watching(["ann"]),
        ]
        for at in [0, Int64.max] {
            let history = try DeviceHistory(name: "a1", records: records.map { HistoryRecord(at: at, $0) })
            let verdict = HistoryChecker.check([history], cluster: ClusterHistory(records: []))
            #expect(!verdict.isSound)
        }
    }

    @Test("A wrong line of the harness' own history is named as well")
    func clusterLine() throws {
        #expect(try error(of: #"{"at":2,"event":"stage","stage":"nap"}"#, as: "cluster.jsonl") != nil)
        #expect(try error(of: #"{"at":1e400,"event":"stage","stage":"load"}"#, as: "cluster.jsonl") != nil)
    }
}
