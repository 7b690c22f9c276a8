import BatonAPI
import BatonCore
import BatonTestKit
import Foundation
import Testing

@Suite("The file of signing keys")
struct SigningKeyFileTests {
    private let now = MutableClock().now

    /// A path in a directory of its own, which is removed afterwards.
    private func withPath<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "baton-keys-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        return try await body(directory.appendingPathComponent("keys.json").path)
    }

    private func write(_ data: Data, to path: String) throws {
        try data.write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    @Test("Random bytes, and pieces of a good file in any order, are an error and no crash")
    func random() async throws {
        var generator = SeededGenerator(seed: 3)
        let pieces = [
            "[", "]", "{", "}", ",", "\"kid\":", "\"seed\":", "\"created\":", "\"a\"", "1e999", "null", "\u{0}",
            "\"\(Self.seed)\"",
            "\"2026-01-01T00:00:00Z\"",
        ]
        try await withPath { path in
            for _ in 0..<100 {
                let bytes = (0..<40).map { _ in UInt8.random(in: 0...255, using: &generator) }
                let text = (0..<12).compactMap { _ in pieces.randomElement(using: &generator) }.joined()
                for content in [Data(bytes), Data(text.utf8)] {
                    try write(content, to: path)
                    #expect(throws: SigningKeyError.self) { try SigningKeyFile.load(path: path) }
                }
            }
        }
    }

    @Test("It is made where it is missing, for its owner only, and then found again")
    func creates() async throws {
        try await withPath { path in
            let made = try SigningKeyFile.loadOrCreate(path: path, now: now)
            let found = try SigningKeyFile.loadOrCreate(path: path, now: now)
            #expect(made.keys.map(\.id) == found.keys.map(\.id))
            #expect(made.keys.map(\.created) == [now])
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["keys.json"])
            let clock = MutableClock()
            let token = try await TokenAuthority(keys: made, clock: clock)
                .issue(to: UserID(rawValue: 1), on: DeviceID(rawValue: 2))
            _ = try await TokenAuthority(keys: found, clock: clock).verify(accessToken: token.text)
        }
    }

    @Test("Nodes that start at the same instant all get the same key")
    func races() async throws {
        try await withPath { path in
            let ids = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<32 {
                    group.addTask { [now] in try SigningKeyFile.loadOrCreate(path: path, now: now).keys[0].id }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
        }
    }

    @Test("A file that others may read is refused", arguments: [0o640, 0o604, 0o644, 0o620, 0o601])
    func exposed(_ mode: Int) async throws {
        try await withPath { path in
            _ = try SigningKeyFile.loadOrCreate(path: path, now: now)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            #expect(throws: SigningKeyError.exposed(path)) { try SigningKeyFile.load(path: path) }
        }
    }

    static let seed = Data(repeating: 1, count: 32).base64EncodedString()
    static let good = "{\"kid\":\"a\",\"seed\":\"\(seed)\",\"created\":\"2026-01-01T00:00:00Z\"}"

    @Test(
        "What is no list of keys is refused with its path",
        arguments: [
            "", "{}", "[]", "null", "[{}]", "[1]", "[\(good),\(good)]",
            "[{\"kid\":\"\",\"seed\":\"\(seed)\",\"created\":\"2026-01-01T00:00:00Z\"}]",
            "[{\"kid\":\"a\",\"seed\":\"AAAA\",\"created\":\"2026-01-01T00:00:00Z\"}]",
            "[{\"kid\":\"a\",\"seed\":\"!\",\"created\":\"2026-01-01T00:00:00Z\"}]",
            "[{\"kid\":\"a\",\"seed\":\"\(seed)\",\"created\":\"yesterday\"}]",
            "[" + String(repeating: " ", count: 70_000) + "]",
        ])
    func malformed(_ text: String) async throws {
        try await withPath { path in
            try write(Data(text.utf8), to: path)
            let error = #expect(throws: SigningKeyError.self) { try SigningKeyFile.load(path: path) }
            #expect(error?.description.contains(path) == true)
        }
    }

    @Test("There may be so many keys, and not one more")
    func keyCount() {
        let keys = (0...SigningKeys.limit).map { _ in SigningKeys.Key.random(created: now) }
        #expect(SigningKeys(Array(keys.dropLast())) != nil)
        #expect(SigningKeys(keys) == nil)
    }

    @Test("Keys written by hand are taken")
    func byHand() async throws {
        try await withPath { path in
            let other = Data(repeating: 2, count: 32).base64EncodedString()
            let text = "[{\"kid\":\"b\",\"seed\":\"\(other)\",\"created\":\"2027-01-01T00:00:00Z\"}, \(Self.good)]"
            try write(Data(text.utf8), to: path)
            let keys = try SigningKeyFile.load(path: path)
            #expect(keys.keys.map(\.id) == ["a", "b"])
        }
    }

    @Test("A directory, and a place where nothing can be, are refused")
    func unusable() async throws {
        try await withPath { path in
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            #expect(throws: SigningKeyError.self) { try SigningKeyFile.loadOrCreate(path: path, now: now) }
            #expect(throws: SigningKeyError.self) {
                try SigningKeyFile.loadOrCreate(path: path + "/no/such/keys.json", now: now)
            }
        }
    }
}
