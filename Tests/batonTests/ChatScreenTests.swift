import BatonCore
import Foundation
import Testing

@testable import BatonClient
@testable import baton

@Suite("The chat on the screen")
struct ChatScreenTests {
    private let zone = TimeZone(secondsFromGMT: 0) ?? .current

    private func screen(_ chat: ChatFixture, columns: Int = 80, rows: Int = 24) -> ChatScreen {
        ChatScreen(size: ScreenSize(columns: columns, rows: rows), zone: zone, now: chat.now)
    }

    private func lines(
        _ chat: ChatFixture, columns: Int = 80, rows: Int = 24, notice: [String] = [], back: Int = 0
    ) -> [String] {
        screen(chat, columns: columns, rows: rows)
            .frame(chat.model, editor: LineEditor(), notice: notice, back: back).lines.map(\.text)
    }

    @Test("A conversation: who and where above, messages with ticks, the input below")
    func conversation() throws {
        var chat = try ChatFixture.talking()
        _ = chat.lines(.message(try ChatFixture.message(1, "hi")))
        _ = chat.send("hello", ref: "r1")
        _ = chat.lines(try ChatFixture.accepted("r1", 2))
        _ = chat.lines(try ChatFixture.receipt(delivered: 2, read: 0))
        _ = chat.send("waits", ref: "r2")
        let lines = lines(chat)
        #expect(lines.count == 24)
        #expect(lines[0].hasPrefix(" bob · online"))
        #expect(lines[0].hasSuffix("alice ● one "))
        #expect(
            Array(lines[18...21]) == [
                "  ── 2023-11-14 ──", "22:13 bob  hi", "22:13 you  hello ✓✓", "22:13 you  waits 🕓",
            ])
        #expect(lines[22].hasSuffix("🕓 1 waiting"))
        #expect(lines[23] == "> ")
    }

    @Test("Read ticks are told apart from delivered ones by their style")
    func read() throws {
        var chat = try ChatFixture.talking()
        _ = chat.send("hello", ref: "r1")
        _ = chat.lines(try ChatFixture.accepted("r1", 1))
        func styles(_ chat: ChatFixture) -> [StyledLine.Style] {
            screen(chat).frame(chat.model, editor: LineEditor(), notice: [], back: 0).lines[21].runs.map(\.style)
        }
        _ = chat.lines(try ChatFixture.receipt(delivered: 1, read: 0))
        #expect(styles(chat).last == .dim)
        _ = chat.lines(try ChatFixture.receipt(delivered: 1, read: 1))
        #expect(styles(chat).last == .read)
    }

    @Test("A lost connection is on the screen, with the time to the next attempt")
    func lost() throws {
        var chat = try ChatFixture.talking()
        _ = chat.model.connectionChanged(.waiting(.seconds(4), why: "closed"), now: chat.now)
        #expect(lines(chat)[22].hasPrefix(" reconnecting in 4 s; connection lost: closed"))
        #expect(lines(chat)[0].hasSuffix("alice ○ "))
    }

    @Test("No line is wider than the screen, whatever is on it", arguments: [20, 33, 80])
    func widths(columns: Int) throws {
        var chat = try ChatFixture.talking()
        let texts = [String(repeating: "漢字 and words ", count: 20), String(repeating: "x", count: 300), "🕓🕓\n\n👩‍👩‍👧"]
        for (index, text) in texts.enumerated() {
            _ = chat.lines(.message(try ChatFixture.message(UInt64(index + 1), text)))
            _ = chat.send(text, ref: "r\(index)")
        }
        let frame = screen(chat, columns: columns, rows: 12)
            .frame(chat.model, editor: LineEditor(), notice: [texts[0]], back: 0)
        #expect(frame.lines.count == 12)
        for line in frame.lines { #expect(line.width <= columns, "\(line.text)") }
    }

    @Test("Going back shows earlier lines, and never beyond the first")
    func back() throws {
        var chat = try ChatFixture.talking()
        for number in 1...40 { _ = chat.lines(.message(try ChatFixture.message(UInt64(number), "m\(number)"))) }
        #expect(lines(chat, rows: 8)[5].hasSuffix("m40"))
        #expect(lines(chat, rows: 8, back: 3)[5].hasSuffix("m37"))
        #expect(lines(chat, rows: 8, back: 1_000)[1] == "  ── 2023-11-14 ──")
        #expect(screen(chat, rows: 8).maximumBack(chat.model) == 41 - 5)
    }

    @Test("Without a conversation the list is shown, and what waits in it")
    func list() throws {
        var chat = ChatFixture()
        _ = chat.model.connectionChanged(.online(node: "one"), now: chat.now)
        #expect(lines(chat)[1] == "  loading…")
        _ = chat.model.answered(
            .conversations([try ChatFixture.listed(ChatFixture.bob, "bob", unread: 3, last: 3)]), now: chat.now)
        #expect(lines(chat)[2] == "● bob  3 unread")
    }

    @Test("Only lines that changed are written again")
    func painting() throws {
        var chat = try ChatFixture.talking()
        var painter = ScreenPainter(colours: true)
        let first = screen(chat).frame(chat.model, editor: LineEditor(), notice: [], back: 0)
        #expect(painter.paint(first).contains("\u{1b}[2J"))
        #expect(!painter.paint(first).contains("\u{1b}[2K"))
        _ = chat.lines(.message(try ChatFixture.message(1, "hi")))
        let second = screen(chat).frame(chat.model, editor: LineEditor(), notice: [], back: 0)
        let output = painter.paint(second)
        #expect(output.contains("\u{1b}[22;1H"))
        #expect(!output.contains("\u{1b}[1;1H"))
    }
}
