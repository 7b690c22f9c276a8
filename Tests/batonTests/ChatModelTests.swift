import BatonCore
import BatonProtocol
import Testing

@testable import BatonClient
@testable import baton

@Suite("What the chat makes of what happens")
struct ChatModelTests {
    @Test("A message that is written goes through all its ticks, each told once")
    func ticks() throws {
        var chat = try ChatFixture.talking()
        #expect(chat.send("hello", ref: "r1") == ["> bob: hello  [waiting]"])
        #expect(chat.model.waitingCount == 1)
        #expect(chat.lines(try ChatFixture.accepted("r1", 1)) == ["> bob: hello  [accepted]"])
        #expect(chat.model.waitingCount == 0)
        #expect(chat.lines(try ChatFixture.receipt(delivered: 1, read: 0)) == ["> bob: hello  [delivered]"])
        #expect(chat.lines(try ChatFixture.receipt(delivered: 1, read: 0)) == [])
        #expect(chat.lines(try ChatFixture.receipt(delivered: 1, read: 1)) == ["> bob: hello  [read]"])
    }

    @Test("An outcome that overtakes the word that its message was queued is not lost")
    func earlyOutcome() throws {
        var chat = try ChatFixture.talking()
        #expect(chat.lines(try ChatFixture.accepted("r1", 1)) == [])
        #expect(chat.send("hello", ref: "r1") == ["> bob: hello  [waiting]", "> bob: hello  [accepted]"])
        #expect(chat.model.early.isEmpty)
    }

    @Test("So many outcomes wait for the word that their message was queued, and so many messages are kept")
    func bounds() throws {
        var chat = try ChatFixture.talking()
        for number in 0...ChatModel.earlyOutcomes {
            _ = chat.lines(try ChatFixture.accepted("r\(number)", UInt64(number + 1)))
        }
        #expect(chat.model.early.count == ChatModel.earlyOutcomes)

        let last = UInt64(ChatThread.keptMessages) + 1
        var thread = ChatThread(id: try ChatFixture.conversation(), members: [ChatFixture.bob])
        for sequence in 1...last {
            #expect(thread.add(try ChatFixture.message(sequence, "hi"), me: ChatFixture.alice))
            thread.trim()
        }
        #expect(thread.entries.count == ChatThread.keptMessages && thread.hasOlder)
        #expect(thread.entries.last?.sequence?.rawValue == last)
    }

    @Test("A message of somebody else is shown, and read where its conversation is open")
    func incoming() throws {
        var chat = try ChatFixture.talking()
        let step = chat.model.received(.message(try ChatFixture.message(1, "hi")), now: chat.now)
        #expect(step.notes.flatMap(PlainLines.lines(for:)) == ["< bob: hi"])
        let id = MessageID(conversation: try ChatFixture.conversation(), sequence: ConversationSequence(rawValue: 1))
        #expect(step.requests.contains(.markRead(id)))
        #expect(chat.model.threads[id.conversation]?.unread == 0)
    }

    @Test("A message of a conversation that is not open counts as unread, unless the relay counted it already")
    func unread() throws {
        var chat = try ChatFixture.talking()
        _ = chat.model.answered(
            .conversations([try ChatFixture.listed(ChatFixture.carol, "carol", unread: 2, last: 5)]), now: chat.now)
        let known = try ChatFixture.message(5, "known", from: ChatFixture.carol, with: ChatFixture.carol)
        let new = try ChatFixture.message(6, "new", from: ChatFixture.carol, with: ChatFixture.carol)
        #expect(chat.lines(.message(known)) == ["< carol: known"])
        #expect(chat.lines(.message(new)) == ["< carol: new"])
        #expect(chat.lines(.message(new)) == [])
        #expect(chat.model.unreadElsewhere == 3)
    }

    @Test("Before a message of a stranger is shown, their name is asked for")
    func strangers() throws {
        let chat = ChatFixture()
        let event = ClientEvent.message(try ChatFixture.message(1, "hi"))
        #expect(chat.model.missing(for: event) == .conversation(try ChatFixture.conversation()))
        #expect(try ChatFixture.talking().model.missing(for: event) == nil)
    }

    @Test("History and live messages that cross each other are each shown once, in order")
    func crossing() throws {
        var chat = try ChatFixture.talking()
        let id = try ChatFixture.conversation()
        chat.model.threads[id]?.invalidate()
        _ = chat.lines(.message(try ChatFixture.message(4, "four")))
        let page = try (2...3).map { try ChatFixture.message(UInt64($0), "\($0)") }
        _ = chat.model.answered(.history(id, ChatFixture.page(page, hasMore: true)), now: chat.now)
        _ = chat.lines(.message(try ChatFixture.message(3, "3")))
        let one = try ChatFixture.message(1, "1")
        _ = chat.model.answered(.older(id, ChatFixture.page([one])), now: chat.now)
        #expect(chat.model.threads[id]?.entries.map(\.text) == ["1", "2", "3", "four"])
        #expect(chat.model.threads[id]?.hasOlder == false)
    }

    @Test("An own message that came with the history waits no more")
    func ownInHistory() throws {
        var chat = try ChatFixture.talking()
        _ = chat.send("hello", ref: "r1")
        let own = try ChatFixture.message(1, "hello", from: ChatFixture.alice, ref: "r1")
        _ = chat.model.answered(.history(try ChatFixture.conversation(), ChatFixture.page([own])), now: chat.now)
        #expect(chat.model.threads[try ChatFixture.conversation()]?.shown.count == 1)
        #expect(chat.lines(try ChatFixture.accepted("r1", 1)) == [])
        #expect(chat.model.waitingCount == 0)
    }

    @Test("A refused message stays to be seen, with the reason")
    func refused() throws {
        var chat = try ChatFixture.talking()
        _ = chat.send("hello", ref: "r1")
        var error = WireError(.blocked, "blocked")
        error.message = "this conversation is blocked\u{1b}[31m"
        let event = ClientEvent.rejected(RejectedMessage(ref: "r1", error: RelayError(error)))
        #expect(
            chat.lines(event) == [
                "> bob: hello  [refused]", "! not sent: this conversation is blocked\\u001b[31m",
            ])
        #expect(chat.model.waitingCount == 0)
        #expect(chat.model.threads[try ChatFixture.conversation()]?.shown.count == 1)
    }

    @Test("A resync reads everything again and keeps what waits")
    func resync() throws {
        var chat = try ChatFixture.talking()
        _ = chat.lines(.message(try ChatFixture.message(1, "hi")))
        _ = chat.send("waits", ref: "r1")
        let step = chat.model.received(.resync(.epochChanged), now: chat.now)
        #expect(step.requests == [.conversations, .history(try ChatFixture.conversation())])
        #expect(chat.model.threads[try ChatFixture.conversation()]?.shown.map(\.text) == ["waits"])
    }

    @Test("Typing is told, and ends by itself")
    func typing() throws {
        var chat = try ChatFixture.talking()
        let typing = Typing(conversation: try ChatFixture.conversation(), user: ChatFixture.bob, isActive: true)
        #expect(chat.lines(.typing(typing)) == ["* bob is typing…"])
        #expect(chat.lines(.typing(typing)) == [])
        #expect(chat.model.typing(in: try ChatFixture.conversation()) == "bob is typing…")
        #expect(chat.model.ticked(now: chat.now.advanced(byMilliseconds: 5_000)).notes.isEmpty)
        let after = chat.now.advanced(byMilliseconds: 6_000)
        #expect(chat.model.ticked(now: after).notes == [.typing("bob", isActive: false)])
    }

    @Test("Own typing is told at the first letter, again after a while, and its end at once")
    func ownTyping() throws {
        var chat = try ChatFixture.talking()
        _ = chat.lines(.message(try ChatFixture.message(1, "hi")))
        let id = try ChatFixture.conversation()
        func edited(_ after: Int64, isEmpty: Bool = false, _ chat: inout ChatFixture) -> [ChatRequest] {
            let now = chat.now.advanced(byMilliseconds: after)
            return chat.model.edited(isEmpty: isEmpty, isCommand: false, now: now).requests
        }
        #expect(edited(0, &chat) == [.typing(true, in: id)])
        #expect(edited(1_000, &chat) == [])
        #expect(edited(3_000, &chat) == [.typing(true, in: id)])
        #expect(edited(3_100, isEmpty: true, &chat) == [.typing(false, in: id)])
        #expect(edited(3_200, isEmpty: true, &chat) == [])
        #expect(edited(3_300, &chat) == [])
        #expect(edited(4_000, &chat) == [.typing(true, in: id)])
    }

    @Test("Presence is told when it changes, in words")
    func presence() throws {
        var chat = try ChatFixture.talking()
        let seen = chat.now.advanced(byMilliseconds: -120_000)
        let offline = PresenceChange(user: ChatFixture.bob, isOnline: false, lastSeen: seen)
        #expect(chat.lines(.presence(offline)) == ["* bob last seen 2 min ago"])
        #expect(chat.lines(.presence(offline)) == [])
        let online = PresenceChange(user: ChatFixture.bob, isOnline: true, lastSeen: nil)
        #expect(chat.lines(.presence(online)) == ["* bob online"])
    }

    @Test("A connection has caught up also where its states are learned after that")
    func caughtUp() {
        var chat = ChatFixture()
        for states in [[ConnectionState.catchingUp(node: "one"), .online(node: "one")], []] {
            _ = chat.model.received(.caughtUp, now: chat.now)
            for state in states { _ = chat.model.connectionChanged(state, now: chat.now) }
            #expect(chat.model.isCaughtUp)
            _ = chat.model.connectionChanged(.waiting(.seconds(1), why: "broken"), now: chat.now)
            #expect(!chat.model.isCaughtUp)
        }
    }

    @Test("A lost connection counts down to the next attempt, and what was read is told again")
    func connection() throws {
        var chat = try ChatFixture.talking()
        _ = chat.lines(.message(try ChatFixture.message(1, "hi")))
        let lost = chat.model.connectionChanged(.waiting(.milliseconds(2_500), why: "broken"), now: chat.now)
        #expect(lost.notes == [.connection("reconnecting in 3 s; connection lost: broken")])
        let later = chat.now.advanced(byMilliseconds: 2_000)
        #expect(chat.model.connectionText(now: later) == "reconnecting in 1 s; connection lost: broken")
        let back = chat.model.connectionChanged(.online(node: "two"), now: later)
        #expect(back.notes == [.connection("online via two")])
        let id = MessageID(conversation: try ChatFixture.conversation(), sequence: ConversationSequence(rawValue: 1))
        #expect(back.requests == [.markRead(id), .conversations])
    }
}
