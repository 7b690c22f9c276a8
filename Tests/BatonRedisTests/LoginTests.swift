import BatonCore
import BatonTestKit
import Foundation
import NIOCore
import Testing

@testable import BatonRedis

@Suite("Logging in to Redis")
struct LoginTests {
    @Test("An ACL user with a password, a database of one's own and named connections", .timeLimit(.minutes(1)))
    func user() async throws {
        var options = RedisServerFixture.Options()
        options.arguments = ["--user", "relay", "on", ">s@cret", "~*", "&*", "+@all", "--user", "default", "off"]
        try await TestRedis.run(options) { redis in
            var redis = redis
            redis.settings.url = try RedisURL("redis://relay:s%40cret@127.0.0.1:\(redis.server.port)/3")
            try await redis.withClient { (client, _) async throws -> Void in
                #expect(try await client.run(RedisCommand("ACL", "WHOAMI")).text == "relay")
                let info = try await client.run(RedisCommand("CLIENT", "INFO")).text ?? ""
                #expect(info.contains(" db=3 "))
                let list = try await client.run(RedisCommand("CLIENT", "LIST")).text ?? ""
                #expect(list.contains("name=baton-one-0-cmd"))
                #expect(list.contains("name=baton-one-0-sub"))
            }
        }
    }

    @Test("A wrong password never connects, and says nothing but that", .timeLimit(.minutes(1)))
    func wrongPassword() async throws {
        var options = RedisServerFixture.Options()
        options.arguments = ["--requirepass", "secret"]
        try await TestRedis.run(options) { redis in
            for login in ["", ":wrong@"] {
                var redis = redis
                redis.settings.url = try RedisURL("redis://\(login)127.0.0.1:\(redis.server.port)")
                await #expect(throws: TestRedis.NotConnected.self) {
                    try await redis.withClient(within: .milliseconds(200)) { _, _ in }
                }
            }
            var redis = redis
            redis.settings.url = try RedisURL("redis://:secret@127.0.0.1:\(redis.server.port)")
            try await redis.withClient { (client, _) async throws -> Void in
                #expect(try await client.run(RedisCommand("PING")).text == "PONG")
            }
        }
    }

    @Test("TLS with a certificate of one's own, which is verified", .timeLimit(.minutes(1)))
    func tls() async throws {
        let certificate = try Certificate.make()
        defer { certificate.remove() }
        var options = RedisServerFixture.Options()
        options.tls = .init(certificate: certificate.path, key: certificate.keyPath)
        try await TestRedis.run(options) { redis in
            var redis = redis
            redis.settings.trust = .file(certificate.path)
            try await redis.withClient { (client, _) async throws -> Void in
                #expect(try await client.run(RedisCommand("PING")).text == "PONG")
            }
            redis.settings.trust = .anyone
            try await redis.withClient { (client, _) async throws -> Void in
                #expect(try await client.run(RedisCommand("PING")).text == "PONG")
            }
            redis.settings.trust = .system
            await #expect(throws: TestRedis.NotConnected.self) {
                try await redis.withClient(within: .milliseconds(300)) { _, _ in }
            }
        }
    }

    @Test("A certificate file that is not there is said at once")
    func noCertificate() async throws {
        var settings = RedisSettings(url: RedisURL(host: "localhost", port: 1, usesTLS: true))
        settings.trust = .file("/nonexistent.pem")
        #expect(throws: (any Error).self) { try RedisConnector(settings: settings) }
    }

    @Test("A unix socket", .timeLimit(.minutes(1)))
    func unixSocket() async throws {
        var options = RedisServerFixture.Options()
        options.arguments = ["--unixsocket", "redis.sock"]
        try await TestRedis.run(options) { redis in
            var redis = redis
            redis.settings.url = try RedisURL("unix://\(redis.server.directory.path)/redis.sock")
            try await redis.withClient { (client, _) async throws -> Void in
                #expect(try await client.run(RedisCommand("PING")).text == "PONG")
            }
        }
    }
}

/// A certificate that names 127.0.0.1 and signs itself, made by openssl.
private struct Certificate {
    let directory: URL
    var path: String { directory.appendingPathComponent("redis.crt").path }
    var keyPath: String { directory.appendingPathComponent("redis.key").path }

    static func make() throws -> Certificate {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("baton-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let certificate = Certificate(directory: directory)
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        openssl.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", certificate.keyPath,
            "-out", certificate.path,
        ]
        openssl.standardError = FileHandle.nullDevice
        openssl.standardOutput = FileHandle.nullDevice
        try openssl.run()
        guard openssl.ended() == 0 else { throw Failure(description: "these tests need openssl") }
        return certificate
    }

    func remove() { try? FileManager.default.removeItem(at: directory) }

    struct Failure: Error, CustomStringConvertible { let description: String }
}
