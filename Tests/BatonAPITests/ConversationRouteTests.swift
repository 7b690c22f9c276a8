import BatonAPI
import BatonCore
import BatonProtocol
import BatonTestKit
import HTTPTypes
import Testing

@Suite("Conversations and history")
struct ConversationRouteTests {
    private static func payload(_ text: String, from tokens: WireTokens, to other: WireTokens) throws -> [UInt8] {
        var content = WireContent()
        content.text = text
        let id = try #require(ConversationID(between: tokens.userID, and: other.userID))
        return try EventFrame.payload(
            conversation: id, sender: tokens.userID, device: tokens.deviceID, ref: String(text.prefix(8)),
            content: content)
    }

    /// Messages "1", "2" ... one a second.
    private static func converse(
        _ api: APIHarness, _ sender: WireTokens, _ other: WireTokens, _ count: Int, padding: Int = 0
    ) throws -> String {
        for number in 1...count {
            api.clock.advance(by: .seconds(1))
            let text = String(number) + String(repeating: ".", count: padding)
            api.conversations.send(
                try payload(text, from: sender, to: other), from: try sender.userID, to: try other.userID,
                at: api.clock.now)
        }
        return try #require(ConversationID(between: sender.userID, and: other.userID)).description
    }

    @Test("Conversations come with their members, the last message and what is unread, page by page")
    func list() async throws {
        let api = try await APIHarness()
        let (alice, bob, carol) = (
            try await api.member("alice"), try await api.member("bob"), try await api.member("carol")
        )
        let older = try Self.converse(api, alice, bob, 3)
        let newer = try Self.converse(api, carol, bob, 2)
        let all: WireConversationList = try await api.send(.get, "/v1/conversations", token: bob.accessToken).decoded()
        #expect(all.conversations.map(\.id) == [newer, older])
        #expect(all.conversations.map(\.unread) == [2, 3])
        #expect(all.conversations.map(\.kind) == ["direct", "direct"])
        #expect(all.conversations.map(\.lastMessage.content.text) == ["2", "3"])
        #expect(all.conversations[0].lastMessage.sequence == 2)
        #expect(all.conversations[0].atMs == UInt64(api.clock.now.milliseconds))
        #expect(Set(all.conversations[1].members.map(\.handle)) == ["alice", "bob"])
        #expect(all.conversations[1].members.map(\.role) == ["member", "member"])
        #expect(all.next == "")

        let first: WireConversationList =
            try await api.send(.get, "/v1/conversations?limit=1", token: bob.accessToken).decoded()
        #expect(first.conversations.map(\.id) == [newer])
        #expect(!first.next.isEmpty)
        let path = "/v1/conversations?limit=1&before=\(first.next)"
        let second: WireConversationList = try await api.send(.get, path, token: bob.accessToken).decoded()
        #expect(second.conversations.map(\.id) == [older])
        #expect(second.next == "")

        api.conversations.read(
            try #require(ConversationID(older)), by: try bob.userID, upTo: ConversationSequence(rawValue: 2))
        let one: WireConversation =
            try await api.send(.get, "/v1/conversations/\(older)", token: bob.accessToken).decoded()
        #expect(one.unread == 1)
        #expect(one.members.first { $0.handle == "bob" }?.read == 2)
    }

    @Test("History is read in both directions, and says whether there is more")
    func history() async throws {
        let api = try await APIHarness()
        let (alice, bob) = (try await api.member("alice"), try await api.member("bob"))
        let id = try Self.converse(api, alice, bob, 5)
        let pages: [(query: String, texts: [String], more: Bool)] = [
            ("", ["1", "2", "3", "4", "5"], false),
            ("?limit=2", ["4", "5"], true),
            ("?limit=2&before=4", ["2", "3"], true),
            ("?limit=2&before=3", ["1", "2"], false),
            ("?before=1", [], false),
            ("?limit=2&after=0", ["1", "2"], true),
            ("?limit=2&after=3", ["4", "5"], false),
            ("?after=5", [], false),
            ("?after=9223372036854775807", [], false),
            ("?limit=5", ["1", "2", "3", "4", "5"], false),
            ("?limit=200&unknown=1", ["1", "2", "3", "4", "5"], false),
        ]
        for page in pages {
            let path = "/v1/conversations/\(id)/messages\(page.query)"
            let answer: WireHistory = try await api.send(.get, path, token: bob.accessToken).decoded()
            #expect(answer.messages.map(\.content.text) == page.texts, "\(page.query)")
            #expect(answer.more == page.more, "\(page.query)")
        }
        let message = try await api.send(.get, "/v1/conversations/\(id)/messages?limit=1", token: bob.accessToken)
        let last = try #require(try message.decoded(as: WireHistory.self).messages.first)
        #expect(last.sender == alice.user)
        #expect(last.device == alice.device)
        #expect(last.conversation == id)
        #expect(last.sequence == 5)
        #expect(last.ref == "5")
        #expect(last.atMs == UInt64(api.clock.now.milliseconds))
    }

    @Test("A page ends before it gets too many bytes, and then there is more")
    func bytes() async throws {
        let api = try await APIHarness()
        let (alice, bob) = (try await api.member("alice"), try await api.member("bob"))
        let id = try Self.converse(api, alice, bob, 20, padding: 63 * 1_024)
        for (query, edge) in [("?after=0", UInt64(1)), ("?limit=200", 20)] {
            let answer = try await api.send(.get, "/v1/conversations/\(id)/messages\(query)", token: bob.accessToken)
            let history: WireHistory = try answer.decoded()
            #expect(answer.body.count <= Limits.Page.bytes + 64)
            #expect(history.messages.count == 8)
            #expect(history.more)
            #expect(history.messages.first?.sequence == edge || history.messages.last?.sequence == edge)
        }
    }

    /// Texts of every size and kind, of which escapes make up to six times as many bytes.
    private static func texts(_ count: Int, seed: UInt64) -> [String] {
        var generator = SeededGenerator(seed: seed)
        let characters = ["\u{1}", "a", "\"", "é", "𠮷", "\n"]
        return (0..<count).map { _ in
            let character = characters.randomElement(using: &generator) ?? "a"
            let most = Limits.Message.contentBytes / character.utf8.count
            let length = Bool.random(using: &generator) ? most : Int.random(in: 0...most, using: &generator)
            return String(repeating: character, count: length)
        }
    }

    @Test("The largest message there can be fits into a page, each byte of it escaped")
    func largest() async throws {
        let api = try await APIHarness()
        let (alice, bob) = (try await api.member("alice"), try await api.member("bob"))
        let text = String(repeating: "\u{1}", count: Limits.Message.contentBytes)
        for _ in 0..<3 {
            api.conversations.send(
                try Self.payload(text, from: alice, to: bob), from: try alice.userID, to: try bob.userID,
                at: api.clock.now)
        }
        let answer = try await api.send(.get, "/v1/conversations", token: bob.accessToken)
        #expect(answer.body.count > 6 * Limits.Message.contentBytes && answer.body.count <= Limits.Page.bytes)
        let list: WireConversationList = try answer.decoded()
        let id = try #require(list.conversations.first?.id)
        let history = try await api.send(.get, "/v1/conversations/\(id)/messages?after=0", token: bob.accessToken)
        #expect(history.body.count <= Limits.Page.bytes)
        let page: WireHistory = try history.decoded()
        #expect(page.messages.map(\.sequence) == [1] && page.messages[0].content.text == text && page.more)
    }

    @Test(
        "History of texts of any size is read whole in pages of bounded bytes, in both directions", arguments: [1, 2])
    func boundedHistory(seed: UInt64) async throws {
        let api = try await APIHarness()
        let (alice, bob) = (try await api.member("alice"), try await api.member("bob"))
        let texts = Self.texts(30, seed: seed)
        for text in texts {
            api.conversations.send(
                try Self.payload(text, from: alice, to: bob), from: try alice.userID, to: try bob.userID,
                at: api.clock.now)
        }
        let id = try #require(ConversationID(between: try alice.userID, and: try bob.userID))
        for isForwards in [true, false] {
            var read: [WireMessage] = []
            var pages = 0
            var more = true
            while more {
                let edge = isForwards ? read.last?.sequence ?? 0 : read.first?.sequence ?? 31
                let answer = try await api.send(
                    .get, "/v1/conversations/\(id)/messages?limit=200&\(isForwards ? "after" : "before")=\(edge)",
                    token: bob.accessToken)
                #expect(answer.body.count <= Limits.Page.bytes + 64)
                let page: WireHistory = try answer.decoded()
                try #require(!page.messages.isEmpty)
                read = isForwards ? read + page.messages : page.messages + read
                more = page.more
                pages += 1
            }
            #expect(read.map(\.sequence) == Array(1...30))
            #expect(read.map(\.content.text) == texts)
            #expect(pages > 1)
        }
    }

    @Test("The list is read whole in pages of bounded bytes")
    func boundedList() async throws {
        let api = try await APIHarness()
        let bob = try await api.member("bob")
        var texts: [String: String] = [:]
        for (number, text) in Self.texts(12, seed: 3).enumerated() {
            api.clock.advance(by: .seconds(1))
            let peer = try await api.member("peer\(number)")
            api.conversations.send(
                try Self.payload(text, from: peer, to: bob), from: try peer.userID, to: try bob.userID,
                at: api.clock.now)
            texts[try #require(ConversationID(between: try peer.userID, and: try bob.userID)).description] = text
        }
        var read: [WireConversation] = []
        var before = ""
        var pages = 0
        repeat {
            let answer = try await api.send(
                .get, "/v1/conversations?limit=200\(before.isEmpty ? "" : "&before=\(before)")", token: bob.accessToken)
            #expect(answer.body.count <= Limits.Page.bytes + 256)
            let page: WireConversationList = try answer.decoded()
            try #require(!page.conversations.isEmpty)
            read += page.conversations
            before = page.next
            pages += 1
        } while !before.isEmpty
        #expect(pages > 1)
        #expect(Dictionary(read.map { ($0.id, $0.lastMessage.content.text) }) { first, _ in first } == texts)
        #expect(read.count == texts.count && read.map(\.atMs) == read.map(\.atMs).sorted(by: >))
    }

    @Test(
        "What a query cannot mean is refused, by its name",
        arguments: [
            ("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("limit=-1", "limit"),
            ("limit=", "limit"),
            ("before=0", "before"), ("before=-1", "before"), ("after=x", "after"),
            ("before=18446744073709551616", "before"),
            ("after=9223372036854775808", "after"), ("before=1&after=1", "after"), ("limit=1&limit=2", "limit"),
            ("limit=%00", "limit"), ("limit=1%", "limit"), ("limit", "limit"),
        ])
    func badQuery(_ query: String, _ field: String) async throws {
        let api = try await APIHarness()
        let (alice, bob) = (try await api.member("alice"), try await api.member("bob"))
        let id = try Self.converse(api, alice, bob, 1)
        let path = "/v1/conversations/\(id)/messages?\(query)"
        let answer = try await api.send(.get, path, token: bob.accessToken)
        #expect(answer.status == 400)
        #expect(answer.code == .invalidField)
        #expect(answer.error?.field == field)
    }

    @Test(
        "A cursor that no page gave is refused",
        arguments: ["x", "AAAA", "MTIz", "%20", String(repeating: "A", count: 200)])
    func badCursor(_ cursor: String) async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        let answer = try await api.send(.get, "/v1/conversations?before=\(cursor)", token: alice.accessToken)
        #expect(answer.status == 400)
        #expect(answer.error?.field == "before")
    }

    @Test("A conversation of others is as unknown as none")
    func foreign() async throws {
        let api = try await APIHarness()
        let (alice, bob) = (try await api.member("alice"), try await api.member("bob"))
        let mallory = try await api.member("mallory")
        let id = try Self.converse(api, alice, bob, 1)
        for suffix in ["", "/messages"] {
            let foreign = try await api.send(.get, "/v1/conversations/\(id)\(suffix)", token: mallory.accessToken)
            let none = try await api.send(
                .get, "/v1/conversations/g-0000000000001\(suffix)", token: mallory.accessToken)
            let nonsense = try await api.send(.get, "/v1/conversations/x%2fy\(suffix)", token: mallory.accessToken)
            #expect(foreign.status == 404)
            #expect(foreign.code == .unknownConversation)
            #expect(foreign.body == none.body)
            #expect(foreign.body == nonsense.body)
        }
        let list: WireConversationList =
            try await api.send(.get, "/v1/conversations", token: mallory.accessToken).decoded()
        #expect(list.conversations.isEmpty)
    }

    @Test("Bytes in the store that are no message are an error that tells nothing")
    func damaged() async throws {
        let api = try await APIHarness()
        let (alice, bob) = (try await api.member("alice"), try await api.member("bob"))
        api.conversations.send([0xff, 0xff], from: try alice.userID, to: try bob.userID, at: api.clock.now)
        let answer = try await api.send(.get, "/v1/conversations", token: bob.accessToken)
        #expect(answer.status == 500)
        #expect(answer.code == .internalError)
        #expect(answer.error?.message == "the node failed; try again")
    }
}
