import BatonCore
import Testing

@testable import BatonEdge

@Suite struct TrustedProxiesTests {
    @Test("Without trusted proxies the client is the peer, whatever it says")
    func untrusted() {
        let proxies = TrustedProxies()
        #expect(proxies.origin(peer: "203.0.113.9", forwardedFor: ["10.1.1.1"]).address == "203.0.113.9")
    }

    @Test("The client is the last entry that is no trusted proxy")
    func chain() throws {
        let proxies = try TrustedProxies(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"])
        func client(_ entries: String...) -> String { proxies.origin(peer: "127.0.0.1", forwardedFor: entries).address }
        #expect(client("198.51.100.7") == "198.51.100.7")
        #expect(client("6.6.6.6, 198.51.100.7, 10.2.3.4") == "198.51.100.7")
        #expect(client("6.6.6.6", "198.51.100.7", "10.2.3.4") == "198.51.100.7")
        #expect(client("198.51.100.7:4711") == "198.51.100.7")
        #expect(client("[2001:DB9::1]:4711, [2001:db8::5]") == "2001:db9::1")
        #expect(client("::ffff:198.51.100.7") == "198.51.100.7")
        #expect(client("10.0.0.9") == "10.0.0.9")
        #expect(client() == "127.0.0.1")
    }

    @Test("Random text is an entry or an error, never a crash, and as a header it names a client or the peer")
    func random() throws {
        var generator = SeededGenerator(seed: 9)
        let pieces = [
            "1", "255", "256", ".", ":", "::", "/", "33", "-1", "[", "]", "ffff", ",", " ", "é", "\u{0}", "127.0.0.1",
        ]
        let proxies = try TrustedProxies(["127.0.0.1", "::1/128"])
        for _ in 0..<2_000 {
            let text = (0..<Int.random(in: 0...12, using: &generator)).compactMap { _ in
                pieces.randomElement(using: &generator)
            }.joined()
            _ = try? TrustedProxies([text])
            #expect(!proxies.origin(peer: "127.0.0.1", forwardedFor: [text]).address.isEmpty)
        }
    }

    @Test("What no proxy writes is not believed")
    func nonsense() throws {
        let proxies = try TrustedProxies(["127.0.0.1"])
        let long = String(repeating: "9", count: 5_000)
        for entry in ["unknown", "", "1.2.3", "1.2.3.4.5", "'; drop", "::1::", "1.2.3.4/8", long, "[", "a:b"] {
            #expect(
                proxies.origin(peer: "127.0.0.1", forwardedFor: [entry]).address == "127.0.0.1", "\(entry.prefix(20))")
        }
        #expect(proxies.origin(peer: "local", forwardedFor: ["1.2.3.4"]).address == "local")
    }

    @Test("Networks end where their prefix says")
    func prefixes() throws {
        let proxies = try TrustedProxies(["192.0.2.128/25"])
        #expect(proxies.origin(peer: "192.0.2.128", forwardedFor: ["1.1.1.1"]).address == "1.1.1.1")
        #expect(proxies.origin(peer: "192.0.2.127", forwardedFor: ["1.1.1.1"]).address == "192.0.2.127")
    }

    @Test(
        "A wrong list is refused", arguments: ["", "localhost", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "::/129"])
    func wrong(text: String) {
        #expect(throws: TrustedProxies.UnreadableAddress.self) { try TrustedProxies([text]) }
    }
}
