import Foundation
import Testing

@testable import BatonNode

@Suite("The admin token")
struct AdminTokenTests {
    /// A path in a directory of its own, which is removed afterwards.
    private func withPath(_ body: (String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "baton-admin-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try await body(directory.appendingPathComponent("baton-admin.token").path)
    }

    private func write(_ text: String, to path: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    private func read(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .newlines)
    }

    @Test("It is made where it is missing, for its owner only, and then found again")
    func creates() async throws {
        try await withPath { path in
            let made = try AdminTokenFile.loadOrCreate(path: path)
            let text = try read(path)
            #expect(text.utf8.count == 43)
            #expect(made.matches(text))
            #expect(try AdminTokenFile.loadOrCreate(path: path).matches(text))
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["baton-admin.token"])
        }
    }

    @Test("Nodes that start at the same instant all get the same token")
    func races() async throws {
        try await withPath { path in
            let tokens = try await withThrowingTaskGroup(of: AdminToken.self) { group in
                for _ in 0..<32 { group.addTask { try AdminTokenFile.loadOrCreate(path: path) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let text = try read(path)
            #expect(tokens.count == 32)
            #expect(tokens.allSatisfy { $0.matches(text) })
        }
    }

    @Test("A file that others may read is refused", arguments: [0o640, 0o604, 0o644, 0o620])
    func exposed(_ mode: Int) async throws {
        try await withPath { path in
            try write(String(repeating: "a", count: 43), to: path, mode: mode)
            let error = #expect(throws: AdminTokenError.self) { try AdminTokenFile.loadOrCreate(path: path) }
            #expect(error?.description.contains("others than its owner") == true)
        }
    }

    @Test(
        "A damaged file stops the start with one line that names it and shows nothing of it",
        arguments: [
            "", "\n", String(repeating: "a", count: 31), String(repeating: "a", count: 257),
            String(repeating: "a", count: 20) + " " + String(repeating: "a", count: 20),
            String(repeating: "a", count: 40) + "\nsecond", "\u{FF}" + String(repeating: "é", count: 40),
            String(repeating: "a", count: 1_025),
        ])
    func damaged(_ text: String) async throws {
        try await withPath { path in
            try write(text, to: path)
            let error = #expect(throws: AdminTokenError.self) { try AdminTokenFile.loadOrCreate(path: path) }
            let line = try #require(error?.description)
            #expect(line.contains(path))
            #expect(!line.contains("\n") && !line.contains("aaaa") && !line.contains("second"))
        }
    }

    @Test("Tokens written by hand are taken, up to both bounds", arguments: [32, 43, 256])
    func byHand(_ length: Int) async throws {
        try await withPath { path in
            let text = String(repeating: "x+/-", count: 64).prefix(length - 1) + "="
            try write("\(text)\n", to: path)
            #expect(try AdminTokenFile.load(path: path).matches(String(text)))
        }
    }

    @Test("A directory, and a place where nothing can be, are refused")
    func unusable() async throws {
        try await withPath { path in
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            #expect(throws: AdminTokenError.self) { try AdminTokenFile.loadOrCreate(path: path) }
            #expect(throws: AdminTokenError.self) { try AdminTokenFile.loadOrCreate(path: path + "/no/such") }
        }
    }

    @Test("Only the whole token matches")
    func matching() throws {
        let text = String(repeating: "a", count: 42) + "b"
        let token = try #require(AdminToken(text))
        #expect(token.matches(text))
        for wrong in ["", "a", String(text.dropLast()), text + "b", String(text.reversed()), text.uppercased()] {
            #expect(!token.matches(wrong))
        }
    }

    @Test("No description shows it")
    func isNotShown() throws {
        let text = String(repeating: "s", count: 43)
        let token = try #require(AdminToken(text))
        var dumped = ""
        dump(token, to: &dumped)
        for shown in ["\(token)", String(reflecting: token), "\([token])", "\(Optional(token) as Any)", dumped] {
            #expect(!shown.contains("ssss"))
        }
    }

    @Test("It stands beside the signing keys unless the configuration says where")
    func defaultPath() {
        var configuration = NodeConfiguration()
        #expect(configuration.adminTokenPath == "baton-admin.token")
        configuration.auth.keysFile = "/var/lib/baton/keys.json"
        #expect(configuration.adminTokenPath == "/var/lib/baton/baton-admin.token")
        configuration.admin.tokenFile = "secrets/admin"
        #expect(configuration.adminTokenPath == "secrets/admin")
    }
}
