import BatonCore
import BatonTestKit
import NIOCore
import Testing

@testable import BatonRedis

@Suite("What of the bus is believed")
struct SealTests {
    private static let now = Timestamp(milliseconds: 1_800_000_000_000)
    private static let channel = BusChannel.user(TextTests.user)
    private static let event = BusMessage.event(InboxSequence(rawValue: 12), frame: Array("a b".utf8))
    private static let typing = BusMessage.typing(ConversationID(group: 5), by: TextTests.user, active: true)

    private static func text(
        _ message: BusMessage, on channel: BusChannel = channel, _ seal: ClusterSeal? = TestRedis.seal()
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        SealedMessage.append(message, at: Keys.channel(channel), sealedBy: seal, to: &bytes)
        return bytes
    }

    private static func read(
        _ text: [UInt8], on channel: BusChannel = channel, _ seal: ClusterSeal? = TestRedis.seal()
    ) -> SealedMessage {
        SealedMessage(text: text, at: Keys.channel(channel), seal: seal)
    }

    @Test("What a node sends every node of the cluster believes, and its text takes no more than was reserved")
    func proven() {
        for message in TextTests.messages {
            let text = Self.text(message)
            #expect(Self.read(text) == .proven(message))
            #expect(text.count <= SealedMessage.count(of: message))
        }
    }

    @Test(
        "An event without a proof, with a wrong one, or of another channel is a reason to read the store, and no more")
    func unprovenEvent() {
        let head = SealedMessage.unproven(.head(InboxSequence(rawValue: 12)))
        let text = Self.text(Self.event)
        #expect(Self.read(Self.text(Self.event, nil)) == head)
        #expect(Self.read(Self.text(Self.event, TestRedis.seal([2]))) == head)
        #expect(Self.read(text, nil) == head, "a program without keys believes nothing")
        #expect(Self.read(text, on: .user(UserID(rawValue: 7))) == head)
        for index in text.indices {
            var changed = text
            changed[index] ^= 1
            if case .proven = Self.read(changed) { Issue.record("byte \(index) may be changed") }
        }
        for count in text.indices {
            if case .proven = Self.read(Array(text.prefix(count))) { Issue.record("\(count) bytes are enough") }
        }
    }

    @Test("The proof of an event is a field that clients pass over: a node of the version before passes it on")
    func older() throws {
        let text = Self.text(Self.event)
        guard case .event(_, let frame) = BusMessage(text: text[...]) else { return #expect(Bool(false)) }
        #expect(frame.starts(with: "a b".utf8))
        // A tag of length-delimited field 2047, and as many bytes as it says.
        let trailer = frame.dropFirst(3)
        let tag = UInt32(trailer[3] & 0x7f) | UInt32(trailer[4]) << 7
        #expect(tag == 2_047 << 3 | 2 && Int(trailer[5]) == trailer.count - 3)
    }

    @Test("Typing without a proof, or kept back for longer than the bound, is not shown", arguments: [-1, 1])
    func typing(sign: Int64) {
        #expect(Self.read(Self.text(Self.typing, nil)) == .unproven(nil))
        #expect(Self.read(Self.text(Self.typing, TestRedis.seal([2]))) == .unproven(nil))
        #expect(Self.read(Self.text(Self.typing), on: .user(UserID(rawValue: 7))) == .unproven(nil))
        let bound = sign * Int64(Limits.Presence.typingNoticeSeconds) * 1_000
        for (age, isShown) in [(bound, true), (bound + sign, false)] {
            let reader = TestRedis.seal(at: Self.now.advanced(byMilliseconds: age))
            #expect(Self.read(Self.text(Self.typing), reader) == (isShown ? .proven(Self.typing) : .unproven(nil)))
        }
    }

    @Test("Keys are rotated: each is taken, and the newest in force proves")
    func rotation() {
        let (before, during, after) = (TestRedis.seal([1]), TestRedis.seal([1, 2]), TestRedis.seal([2]))
        #expect(Self.read(Self.text(Self.event, before), during) == .proven(Self.event))
        #expect(Self.read(Self.text(Self.event, during), after) == .proven(Self.event))
        let early = TestRedis.seal([1, 2], at: Timestamp(milliseconds: 1))
        #expect(Self.read(Self.text(Self.event, early), before) == .proven(Self.event))
    }

    @Test("Truncated, changed and random texts never trap, and nothing is proven that was not sent")
    func fuzz() {
        var generator = SeededGenerator(seed: 8)
        let texts = TextTests.messages.map { Self.text($0) }
        for text in texts {
            for _ in 0..<500 {
                var changed = text
                changed[Int.random(in: changed.indices, using: &generator)] = .random(in: 0...255, using: &generator)
                guard changed != text else { continue }
                switch Self.read(changed) {
                case .proven(.event), .proven(.typing): Issue.record("believed: \(changed)")
                case .proven, .unproven, .undecodable: break
                }
            }
        }
        for _ in 0..<2_000 {
            let count = Int.random(in: 0..<64, using: &generator)
            let junk = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            for prefix in ["event 1 ", "typing ", ""] { _ = Self.read(Array(prefix.utf8) + junk) }
        }
    }

    @Test("A forged event and a replayed one of another user only let the reader look", .timeLimit(.minutes(1)))
    func forged() async throws {
        try await TestRedis.run { redis in
            try await redis.withClient { client, eventLoops in
                let node = try await LivenessSubject.Node(client, on: eventLoops[0])
                let isConfirmed: Bool = try await node.ask { $0.bus.subscribe(Self.channel, confirmed: $1) }
                #expect(isConfirmed)
                let other = BusChannel.user(UserID(rawValue: 7))
                for text in [Self.text(Self.event, nil), Self.text(Self.event, on: other), Self.text(Self.event)] {
                    var command = RedisCommand("PUBLISH", Keys.channel(Self.channel))
                    command.append(text)
                    #expect(try await client.run(command) == .integer(1))
                }
                let events: [RecordingBusReceiver.Event] = try await node.ask { ports, answer in
                    ports.receiver.whenThere(are: 3, answer)
                }
                let head = RecordingBusReceiver.Event.message(.head(InboxSequence(rawValue: 12)), Self.channel)
                #expect(events == [head, head, .message(Self.event, Self.channel)])
            }
        }
    }
}
