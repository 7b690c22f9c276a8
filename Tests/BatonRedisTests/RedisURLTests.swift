import BatonCore
import Testing

@testable import BatonRedis

@Suite("Redis URLs")
struct RedisURLTests {
    @Test("Random text is a URL or an error, never a crash, and no error repeats the password")
    func random() {
        var generator = SeededGenerator(seed: 5)
        let pieces = [
            "redis", "rediss", "unix", "://", ":", "@", "/", "?db=", "[", "]", "%", "%4", "%zz", "99999", "é", "\u{0}",
            "h",
        ]
        func text() -> String {
            (0..<Int.random(in: 0...6, using: &generator)).compactMap { _ in pieces.randomElement(using: &generator) }
                .joined()
        }
        for _ in 0..<2_000 {
            _ = try? RedisURL(text())
            do {
                _ = try RedisURL("redis://\(text()):s3cret@\(text())")
            } catch {
                #expect(!"\(error)".contains("s3cret"))
            }
        }
    }

    @Test("Host, port, database, user and password are taken from the URL")
    func parts() throws {
        let full = try RedisURL("redis://relay:s%40cr%3At@redis.internal:7000/3")
        #expect(full.place == .tcp(host: "redis.internal", port: 7_000))
        #expect(full.user == "relay")
        #expect(full.password == "s@cr:t")
        #expect(full.database == 3)
        #expect(!full.usesTLS)

        let short = try RedisURL("redis://localhost")
        #expect(short.place == .tcp(host: "localhost", port: 6_379))
        #expect(short.user == nil && short.password == nil && short.database == 0)

        #expect(try RedisURL("rediss://:secret@host").usesTLS)
        #expect(try RedisURL("rediss://:secret@host").password == "secret")
        #expect(try RedisURL("redis://[::1]:7000/").place == .tcp(host: "::1", port: 7_000))
        #expect(try RedisURL("unix:///run/redis.sock?db=2").place == .unix(path: "/run/redis.sock"))
        #expect(try RedisURL("unix:///run/redis.sock?db=2").database == 2)
    }

    @Test(
        "What is wrong is said, without repeating the password",
        arguments: [
            ("localhost:6379", RedisURLError.noScheme),
            ("http://localhost", .unknownScheme("http")),
            ("redis://", .noHost),
            ("redis://:secret@", .noHost),
            ("redis://user@host", .noPassword),
            ("redis://host:0", .badPort),
            ("redis://host:65536", .badPort),
            ("redis://host:", .badPort),
            ("redis://host:port", .badPort),
            ("redis://[::1]7000", .badPort),
            ("redis://host/one", .badDatabase),
            ("redis://host/-1", .badDatabase),
            ("redis://:%zz@host", .badPercentEncoding),
            ("redis://:%4@host", .badPercentEncoding),
            ("redis://:%ff@host", .badPercentEncoding),
            ("redis://host?tls=1", .unknownOption),
            ("unix://relative", .noSocketPath),
            ("unix:///path?x=1", .unknownOption),
        ])
    func wrong(text: String, error: RedisURLError) {
        #expect(throws: error) { try RedisURL(text) }
        #expect(!error.description.contains("secret"))
    }

    @Test("No way of printing a URL shows its password")
    func redacted() throws {
        let url = try RedisURL("rediss://relay:secret@host:7000/3")
        var dumped = ""
        dump(url, to: &dumped)
        for text in ["\(url)", String(reflecting: url), dumped] {
            #expect(!text.contains("secret"))
            #expect(text.contains("rediss://relay:***@host:7000/3"))
        }
    }
}
