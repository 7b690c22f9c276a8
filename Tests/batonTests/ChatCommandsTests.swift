import BatonCore
import Testing

@testable import BatonClient
@testable import baton

@Suite("What the person writes")
struct ChatCommandsTests {
    @Test("A line goes to the conversation that is open; two slashes send one")
    func messages() throws {
        var chat = try ChatFixture.talking()
        #expect(chat.model.entered("hi", now: chat.now).requests == [.send("hi", to: .user(ChatFixture.bob))])
        #expect(chat.model.entered("//hi", now: chat.now).requests == [.send("/hi", to: .user(ChatFixture.bob))])
        #expect(chat.model.entered("  ", now: chat.now).requests == [])
    }

    @Test("A line without a conversation goes nowhere, and says so")
    func nobody() {
        var chat = ChatFixture()
        let step = chat.model.entered("hi", now: chat.now)
        #expect(step.requests.isEmpty)
        #expect(step.notes == [.problem("nobody is listening: /open NAME first")])
    }

    @Test(
        "Commands ask for what they say",
        arguments: [
            ("/open dave", ChatRequest.open(handle: "dave")), ("/open @dave ", .open(handle: "dave")),
            ("/who dave", .who(handle: "dave")), ("/who", .who(handle: "alice")), ("/devices", .devices),
            ("/revoke 000000000000b", .revoke(DeviceID(rawValue: 11))), ("/quit", .quit), ("/logout", .logout),
        ])
    func commands(line: String, request: ChatRequest) {
        var chat = ChatFixture()
        #expect(chat.model.entered(line, now: chat.now).requests == [request])
    }

    @Test(
        "A command that is none, or lacks something, is a problem",
        arguments: ["/nonsense", "/open", "/revoke x", "/more", "/"])
    func problems(line: String) {
        var chat = ChatFixture()
        let step = chat.model.entered(line, now: chat.now)
        #expect(step.requests.isEmpty)
        guard case .problem? = step.notes.first else { Issue.record("no problem: \(step.notes)"); return }
    }

    @Test("More asks for what is before the first message here, while there is something")
    func more() throws {
        var chat = try ChatFixture.talking()
        let id = try ChatFixture.conversation()
        #expect(
            chat.model.entered("/more", now: chat.now).notes == [.info("this is the beginning of the conversation")])
        chat.model.threads[id]?.invalidate()
        let page = ChatFixture.page([try ChatFixture.message(7, "seven")], hasMore: true)
        _ = chat.model.answered(.history(id, page), now: chat.now)
        let before = MessageID(conversation: id, sequence: ConversationSequence(rawValue: 7))
        #expect(chat.model.entered("/more", now: chat.now).requests == [.older(before: before)])
    }

    @Test("Opening a conversation that is here asks for nothing but that it be read")
    func reopening() throws {
        var chat = try ChatFixture.talking()
        _ = chat.model.entered("/close", now: chat.now)
        #expect(chat.model.open == nil)
        _ = chat.lines(.message(try ChatFixture.message(1, "hi")))
        let step = chat.model.entered("/open bob", now: chat.now)
        #expect(step.notes.flatMap(PlainLines.lines(for:)) == ["* conversation with bob (online)", "= bob: hi"])
        let id = MessageID(conversation: try ChatFixture.conversation(), sequence: ConversationSequence(rawValue: 1))
        #expect(step.requests == [.markRead(id)])
    }

    @Test("The list has unread counts and who is there")
    func list() throws {
        var chat = try ChatFixture.talking()
        _ = chat.model.answered(
            .conversations([try ChatFixture.listed(ChatFixture.carol, "carol\u{1b}", unread: 2, last: 5)]),
            now: chat.now)
        let lines = chat.model.entered("/list", now: chat.now).notes.flatMap(PlainLines.lines(for:))
        #expect(Set(lines) == ["* carol\\u001b  2 unread", "* bob  (online)"])
    }

    @Test("Tab completes what can only be one")
    func completion() throws {
        let chat = try ChatFixture.talking()
        #expect(chat.model.completion(of: "/o") == "/open ")
        #expect(chat.model.completion(of: "/open b") == "/open bob")
        #expect(chat.model.completion(of: "/l") == nil)
        #expect(chat.model.completion(of: "b") == nil)
    }
}
