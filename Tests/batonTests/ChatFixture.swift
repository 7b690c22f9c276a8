import BatonCore
import BatonProtocol

@testable import BatonClient
@testable import baton

/// Alice's terminal, Bob, and what the relay says about them.
struct ChatFixture {
    static let alice = UserID(rawValue: 1)
    static let bob = UserID(rawValue: 2)
    static let carol = UserID(rawValue: 3)
    static let device = DeviceID(rawValue: 10)
    static let start = Timestamp(milliseconds: 1_700_000_000_000)

    var model = ChatModel(me: alice, handle: "alice", device: device)
    var now = start

    static func conversation(with user: UserID = bob) throws -> ConversationID {
        guard let id = ConversationID(between: alice, and: user) else { throw FixtureError() }
        return id
    }

    struct FixtureError: Error {}

    static func message(
        _ sequence: UInt64, _ text: String, from sender: UserID = bob, with peer: UserID = bob, ref: String = ""
    ) throws -> Message {
        var wire = WireMessage()
        wire.sequence = sequence
        wire.atMs = UInt64(start.milliseconds) + sequence
        wire.conversation = try conversation(with: peer).description
        wire.sender = sender.description
        wire.device = DeviceID(rawValue: sender.rawValue + 100).description
        wire.ref = ref.isEmpty ? "\(sender).\(sequence)" : ref
        wire.content.text = text
        guard let message = Message(wire) else { throw FixtureError() }
        return message
    }

    static func accepted(_ ref: String, _ sequence: UInt64) throws -> ClientEvent {
        var wire = WireAccepted()
        wire.ref = ref
        wire.id = "\(try conversation()).\(sequence)"
        wire.atMs = UInt64(start.milliseconds) + sequence
        guard let message = BatonClientAccepted(wire) else { throw FixtureError() }
        return .accepted(message)
    }

    static func receipt(delivered: UInt64, read: UInt64, of user: UserID = bob) throws -> ClientEvent {
        .receipt(
            Receipt(
                conversation: try conversation(), user: user, delivered: ConversationSequence(rawValue: delivered),
                read: ConversationSequence(rawValue: read), at: start))
    }

    static func profile(_ user: UserID, _ handle: String, isOnline: Bool? = nil) throws -> Profile {
        var wire = WireProfile()
        wire.id = user.description
        wire.handle = handle
        wire.displayName = handle.uppercased()
        if let isOnline {
            wire.presence.user = user.description
            wire.presence.online = isOnline
        }
        return try Profile.checked(wire)
    }

    static func listed(
        _ user: UserID, _ handle: String, unread: UInt64 = 0, last: UInt64 = 0
    ) throws -> Conversation {
        var wire = WireConversation()
        wire.id = try conversation(with: user).description
        wire.unread = unread
        for (id, name) in [(alice, "alice"), (user, handle)] {
            var member = WireMember()
            member.user = id.description
            member.handle = name
            wire.members.append(member)
        }
        if last > 0 {
            wire.lastMessage.sequence = last
            wire.lastMessage.conversation = wire.id
            wire.lastMessage.sender = user.description
            wire.lastMessage.device = device.description
            wire.lastMessage.content.text = "last"
        }
        guard let conversation = Conversation(wire) else { throw FixtureError() }
        return conversation
    }

    static func page(_ messages: [Message], hasMore: Bool = false) -> HistoryPage {
        HistoryPage(messages: messages, hasMore: hasMore)
    }

    /// A chat with Bob that is open, online, and has nothing in it.
    static func talking() throws -> ChatFixture {
        var fixture = ChatFixture()
        _ = fixture.model.connectionChanged(.online(node: "one"), now: start)
        _ = fixture.model.answered(.opened(try profile(bob, "bob", isOnline: true)), now: start)
        _ = fixture.model.answered(.noHistory(try conversation()), now: start)
        return fixture
    }

    /// What the line mode would print.
    mutating func lines(_ event: ClientEvent) -> [String] {
        model.received(event, now: now).notes.flatMap(PlainLines.lines(for:))
    }

    /// Writes a line, and queues what comes of it under the ref.
    mutating func send(_ text: String, ref: String) -> [String] {
        let step = model.entered(text, now: now)
        guard case .send(let text, let recipient)? = step.requests.first else { return [] }
        return model.answered(.queued(ref: ref, text: text, to: recipient), now: now)
            .notes.flatMap(PlainLines.lines(for:))
    }
}
