import BatonCore
import Testing

@testable import BatonRedis

@Suite("Names and values that people read")
struct TextTests {
    static let user = UserID(rawValue: 0xa11ce)
    static let device = DeviceID(rawValue: 7)
    static let time = Timestamp(milliseconds: 1_763_712_807_123)

    static let messages: [BusMessage] = [
        .event(InboxSequence(rawValue: 12), frame: Array("a b".utf8)),
        .event(InboxSequence(rawValue: UInt64(Int64.max)), frame: []),
        .head(InboxSequence(rawValue: 9)),
        .typing(ConversationID(group: 5), by: user, active: true),
        .typing(ConversationID(group: 5), by: user, active: false),
        .displaced(device, by: ConnectionGeneration(rawValue: 33)),
        .revoked(device),
        .acquaintance(user),
        .presence(user, .online),
        .presence(user, .offline(lastSeen: nil)),
        .presence(user, .offline(lastSeen: time)),
    ]

    @Test("Messages come back from their text as they were")
    func messages() {
        for message in Self.messages { #expect(BusMessage(text: message.text[...]) == message) }
        let offline = BusMessage.presence(Self.user, .offline(lastSeen: Self.time))
        #expect(
            String(decoding: offline.text, as: UTF8.self) == "presence \(Self.user) offline 2025-11-21T08:13:27.123Z")
        #expect(String(decoding: BusMessage.revoked(Self.device).text, as: UTF8.self) == "revoked 0000000000007")
        let event = BusMessage.event(InboxSequence(rawValue: 12), frame: Array("a b".utf8))
        #expect(String(decoding: event.text, as: UTF8.self) == "event 12 a b")
    }

    @Test(
        "A text that no node sends is no message",
        arguments: [
            "", " ", "event", "event ", "event 0 x", "event 01 x", "event 1", "event -1 x", "event  1 x",
            "event 9223372036854775808 x", "event 99999999999999999999999999 x", "typing", "typing a b on",
            "head", "head 0", "head 01", "head -1", "head 1 1", "head 9223372036854775808",
            "revoked", "revoked ", "revoked 7", "revoked 0000000000007 ", "acquaintance", "acquaintance 7",
            "acquaintance 0000000000007 0000000000007", "evacuate",
            "presence 0000000000007 away", "presence 0000000000007 offline", "presence 0000000000007 offline 12",
            "displaced 0000000000007", "unknown words",
        ])
    func noMessage(text: String) {
        #expect(BusMessage(text: Array(text.utf8)[...]) == nil)
    }

    @Test("Truncated, changed and random texts never trap, and what is understood has one text")
    func fuzz() {
        var generator = SeededGenerator(seed: 4)
        for text in Self.messages.map(\.text) {
            for count in 0..<text.count { Self.check(Array(text.prefix(count))) }
            for _ in 0..<500 {
                var changed = text
                changed[Int.random(in: changed.indices, using: &generator)] = .random(in: 0...255, using: &generator)
                Self.check(changed)
            }
        }
        for _ in 0..<5_000 {
            Self.check(
                (0..<Int.random(in: 0..<100, using: &generator)).map { _ in .random(in: 0...255, using: &generator) })
        }
    }

    private static func check(_ text: [UInt8]) {
        if let message = BusMessage(text: text[...]) { #expect(message.text == text) }
        if let channel = Keys.channel(named: text) { #expect(Array(Keys.channel(channel).utf8) == text) }
        let string = String(decoding: text, as: UTF8.self)
        if let session = Session(user: user, device: device, text: string) {
            #expect(string == session.text || string.hasPrefix("\(session.text) renewed="))
        }
        if let time = Timestamp(text: text) { #expect(Array(time.text.utf8) == text) }
    }

    @Test("Times read like times, to the millisecond, from the year 0 to 9999")
    func times() {
        #expect(Timestamp(milliseconds: 0).text == "1970-01-01T00:00:00.000Z")
        #expect(Timestamp(milliseconds: -1).text == "1969-12-31T23:59:59.999Z")
        #expect(Timestamp(milliseconds: 951_827_696_789).text == "2000-02-29T12:34:56.789Z")
        #expect(Timestamp(milliseconds: .max).text == "9999-12-31T23:59:59.999Z")
        #expect(Timestamp(milliseconds: .min).text == "0000-01-01T00:00:00.000Z")
        #expect(Timestamp(text: "2023-02-29T00:00:00.000Z".utf8) == nil)
        #expect(Timestamp(text: "2024-02-29T24:00:00.000Z".utf8) == nil)
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<2_000 {
            let time = Timestamp(
                milliseconds: .random(in: -62_167_219_200_000...253_402_300_799_999, using: &generator))
            #expect(Timestamp(text: time.text.utf8) == time)
        }
    }

    @Test("A session comes back from its text, and a client's name is one word of bounded length")
    func sessions() throws {
        let node = try #require(NodeID("node-1"))
        func session(_ client: String) -> Session {
            Session(
                user: Self.user, device: Self.device, node: node, incarnation: 9,
                generation: ConnectionGeneration(rawValue: 3), since: Self.time, client: client)
        }
        let plain = session("chat/1.0")
        #expect(
            plain.text
                == "node=node-1 incarnation=9 generation=0000000000003 since=2025-11-21T08:13:27.123Z client=chat/1.0")
        #expect(Session(user: Self.user, device: Self.device, text: plain.text) == plain)
        #expect(Session(user: Self.user, device: Self.device, text: session("").text)?.client == "")
        #expect(Session(user: Self.user, device: Self.device, text: session("a\r\nb c").text)?.client == "a__b_c")
        let long = Session(user: Self.user, device: Self.device, text: session(String(repeating: "é", count: 99)).text)
        #expect(long?.client.utf8.count == Limits.Connection.clientNameLength)
        #expect(session("x").text.utf8.count <= 192, "the hash keeps its compact encoding")
    }

    @Test("Names stand in Redis as the design lists them")
    func names() throws {
        #expect(Keys.session(Self.device.asUser) == "session:{0000000000007}")
        #expect(Keys.presence(Self.device.asUser) == "presence:{0000000000007}")
        #expect(Keys.lastSeen(Self.device.asUser) == "lastseen:{0000000000007}")
        #expect(Keys.channel(.user(Self.device.asUser)) == "user:{0000000000007}")
        #expect(Keys.channel(.watch(Self.device.asUser)) == "watch:{0000000000007}")
        let node = try #require(NodeID("node-1"))
        #expect(Keys.node(node) == "node:node-1")
        for channel in [BusChannel.user(Self.user), .watch(Self.user)] {
            #expect(Keys.channel(named: Array(Keys.channel(channel).utf8)) == channel)
        }
    }

    @Test("What somebody types cannot become part of another key, nor a long key")
    func limits() {
        func key(_ who: String) -> String {
            Keys.limit(RateLimitBucket(who: who, what: "login", capacity: 1, secondsPerToken: 1))
        }
        #expect(key("alice") == "limit:{alice}:login")
        #expect(key("a}:x {") == "limit:{a%7d:x%20%7b}:login")
        let long = String(repeating: "a", count: 1_000)
        #expect(key(long).utf8.count < 160)
        #expect(key(long) != key(long + "b"))
    }
}

extension DeviceID {
    fileprivate var asUser: UserID { UserID(rawValue: rawValue) }
}
