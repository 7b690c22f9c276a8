import BatonCore
import BatonTestKit
import Testing

@Suite("Ids and times")
struct ValuesTests {
    @Test("An id's text is 13 characters, comes back as the id, and sorts like it")
    func idText() {
        var generator = SeededGenerator(seed: 1)
        let ids = [UserID(rawValue: 1), UserID(rawValue: .max)] + (0..<500).map { _ in .random(using: &generator) }
        for id in ids {
            #expect(id.description.utf8.count == 13)
            #expect(UserID(id.description) == id)
        }
        #expect(ids.sorted().map(\.description) == ids.map(\.description).sorted())
        #expect(UserID(rawValue: .max).description == "fzzzzzzzzzzzz")
        #expect(UserID(rawValue: 32).description == "0000000000010")
    }

    @Test(
        "What is no id is not read as one",
        arguments: [
            "", "0", "000000000001", "00000000000010", "g000000000000", "zzzzzzzzzzzzz", "000000000000i",
            "000000000000O", "00000000000A0", " 000000000001", "0000000000ö1",
        ])
    func notAnID(text: String) {
        #expect(UserID(text) == nil)
        #expect(ConversationID(text) == nil)
        #expect(MessageID(text) == nil)
    }

    @Test("Both ends make the same direct conversation, and find each other in it")
    func directConversation() throws {
        let (one, other, stranger) = (UserID(rawValue: 7), UserID(rawValue: 3), UserID(rawValue: 5))
        let id = try #require(ConversationID(between: one, and: other))
        #expect(id == ConversationID(between: other, and: one))
        #expect(id.isDirect && id.pair.map { [$0.0, $0.1] } == [other, one])
        #expect(id.peer(of: one) == other && id.peer(of: other) == one && id.peer(of: stranger) == nil)
        #expect(id.description == "\(other)-\(one)")
        #expect(ConversationID(id.description) == id)
        #expect(ConversationID("\(one)-\(other)") == nil, "the greater user first is another text for it")
        #expect(ConversationID("\(one)-\(one)") == nil)
        #expect(ConversationID(between: one, and: one) == nil)
        #expect(ConversationID(between: one, and: UserID(rawValue: 0)) == nil)
    }

    @Test("A group's id has no pair and comes back from its text")
    func group() {
        let id = ConversationID(group: 99)
        #expect(!id.isDirect && id.pair == nil && id.peer(of: UserID(rawValue: 99)) == nil)
        #expect(ConversationID(id.description) == id)
        #expect(ConversationID("g-0000000000000") == nil)
        #expect(ConversationID("h-0000000000001") == nil)
    }

    @Test("A message has one text")
    func messageID() {
        let conversation = ConversationID(group: 1)
        for sequence in [1, 10, UInt64(Int64.max)] {
            let id = MessageID(conversation: conversation, sequence: .init(rawValue: sequence))
            #expect(MessageID(id.description) == id)
        }
        for tail in ["", ".", ".0", ".+5", ".05", ".-1", ".1.1", ".9223372036854775808", ".99999999999999999999"] {
            #expect(MessageID("\(conversation)\(tail)") == nil, "\(tail)")
        }
    }

    @Test("A node's name is short, in lower case, and has no blanks")
    func nodeNames() {
        #expect(NodeID("a-1")?.name == "a-1")
        #expect(NodeID(String(repeating: "n", count: NodeID.maximumLength)) != nil)
        for name in ["", "A", "a b", "a.b", "ä", "a\n", String(repeating: "n", count: NodeID.maximumLength + 1)] {
            #expect(NodeID(name) == nil, "\(name)")
        }
    }

    @Test("A time stays at the end of its range")
    func timestamps() {
        #expect(Timestamp(milliseconds: 5).advanced(byMilliseconds: -7) == Timestamp(milliseconds: -2))
        #expect(Timestamp(milliseconds: .max).advanced(byMilliseconds: 1).milliseconds == .max)
        #expect(Timestamp(milliseconds: .min).advanced(byMilliseconds: -1).milliseconds == .min)
        #expect(Timestamp(milliseconds: 1) < Timestamp(milliseconds: 2))
    }

    @Test("Places follow each other, and the last one does not trap")
    func sequences() {
        #expect(InboxSequence.zero.next == InboxSequence(rawValue: 1))
        #expect(InboxSequence(rawValue: .max).next == .zero)
        #expect(ConversationSequence(rawValue: 12).description == "12")
    }
}
