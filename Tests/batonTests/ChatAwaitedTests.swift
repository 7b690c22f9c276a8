import BatonCore
import Testing

@testable import BatonClient
@testable import baton

@Suite("Somebody to talk to who has not registered yet")
struct ChatAwaitedTests {
    private static func waiting() -> ChatFixture {
        var chat = ChatFixture()
        _ = chat.model.connectionChanged(.online(node: "one"), now: chat.now)
        #expect(chat.model.waitFor("bob", now: chat.now).requests == [.lookFor(handle: "bob")])
        return chat
    }

    private static func tick(_ chat: inout ChatFixture, afterMilliseconds wait: Int64) -> [ChatRequest] {
        chat.now = chat.now.advanced(byMilliseconds: wait)
        return chat.model.ticked(now: chat.now).requests
    }

    @Test("The chat says once that it waits, and asks again until they are there; then the conversation is open")
    func arrives() throws {
        var chat = Self.waiting()
        let told = chat.model.answered(.notYet(handle: "bob"), now: chat.now).notes
        #expect(told == [.info("@bob is not registered yet; the conversation opens as soon as they are")])
        #expect(Self.tick(&chat, afterMilliseconds: ChatModel.awaitedAgain - 1) == [])
        for _ in 0..<3 {
            #expect(Self.tick(&chat, afterMilliseconds: ChatModel.awaitedAgain) == [.lookFor(handle: "bob")])
            #expect(chat.model.answered(.notYet(handle: "bob"), now: chat.now).notes.isEmpty)
            #expect(Self.tick(&chat, afterMilliseconds: 1_000) == [])
        }
        let profile = try ChatFixture.profile(ChatFixture.bob, "bob")
        let step = chat.model.answered(.arrived(profile, handle: "bob"), now: chat.now)
        #expect(step.notes.first == .opened("conversation with bob"))
        #expect(chat.model.open == (try ChatFixture.conversation()))
        #expect(Self.tick(&chat, afterMilliseconds: 10 * ChatModel.awaitedAgain) == [])
    }

    @Test("Offline nothing is asked; back online it is asked at once")
    func offline() {
        var chat = Self.waiting()
        _ = chat.model.connectionChanged(.offline(.requested), now: chat.now)
        #expect(Self.tick(&chat, afterMilliseconds: 10 * ChatModel.awaitedAgain) == [])
        _ = chat.model.connectionChanged(.online(node: "two"), now: chat.now)
        #expect(Self.tick(&chat, afterMilliseconds: 0) == [.lookFor(handle: "bob")])
    }

    @Test("What is opened meanwhile stays open, and ends the waiting")
    func changesTheirMind() throws {
        var chat = Self.waiting()
        let carol = try ChatFixture.profile(ChatFixture.carol, "carol")
        _ = chat.model.answered(.opened(carol), now: chat.now)
        #expect(Self.tick(&chat, afterMilliseconds: 10 * ChatModel.awaitedAgain) == [])
        let bob = try ChatFixture.profile(ChatFixture.bob, "bob")
        #expect(chat.model.answered(.arrived(bob, handle: "bob"), now: chat.now).notes.isEmpty)
        #expect(chat.model.open == (try ChatFixture.conversation(with: ChatFixture.carol)))
    }

    @Test("What is written meanwhile goes nowhere, and the chat says why")
    func writes() {
        var chat = Self.waiting()
        let step = chat.model.entered("hi", now: chat.now)
        #expect(step.requests.isEmpty)
        #expect(step.notes == [.problem("@bob is not registered yet; the conversation opens as soon as they are")])
    }
}
