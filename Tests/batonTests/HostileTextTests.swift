import BatonCore
import BatonTestKit
import Foundation
import Testing

@testable import BatonClient
@testable import BatonNode
@testable import BatonOperator
@testable import baton

/// What others write, through what draws and prints it. `IntegrationTests` has the whole commands.
@Suite("Hostile text")
struct HostileTextTests {
    private static let corpus = HostileText.texts
    private let zone = TimeZone(secondsFromGMT: 0) ?? .current

    /// Everything that the chat says of a conversation whose every part holds the text.
    private func chat(_ text: String) throws -> (model: ChatModel, notes: [ChatNote], now: Timestamp) {
        var chat = try ChatFixture.talking()
        var notes: [ChatNote] = []
        func take(_ step: ChatStep) { notes += step.notes }
        take(
            chat.model.answered(.opened(try ChatFixture.profile(ChatFixture.bob, text, isOnline: true)), now: chat.now))
        take(chat.model.answered(.who(try ChatFixture.profile(ChatFixture.carol, text)), now: chat.now))
        take(chat.model.answered(.noSuchUser(handle: text), now: chat.now))
        take(chat.model.answered(.failed(text), now: chat.now))
        take(chat.model.answered(.notQueued(text: text, why: text), now: chat.now))
        let carol = try ChatFixture.listed(ChatFixture.carol, text, unread: 2, last: 5)
        take(chat.model.answered(.conversations([carol]), now: chat.now))
        take(chat.model.received(.message(try ChatFixture.message(1, text)), now: chat.now))
        take(chat.model.received(.message(try ChatFixture.message(2, "plain", ref: text)), now: chat.now))
        let page = ChatFixture.page([try ChatFixture.message(3, text)])
        take(chat.model.answered(.history(try ChatFixture.conversation(), page), now: chat.now))
        take(chat.model.answered(.queued(ref: "r", text: text, to: .user(ChatFixture.bob)), now: chat.now))
        take(chat.model.received(.typing(try typing), now: chat.now))
        for line in ["/\(text)", "/who \(text)", "/list"] { take(chat.model.entered(line, now: chat.now)) }
        for state in [ConnectionState.waiting(.seconds(1), why: text), .offline(.closed(code: 1, reason: text))] {
            take(chat.model.connectionChanged(state, now: chat.now))
        }
        take(chat.model.connectionChanged(.online(node: text), now: chat.now))
        return (chat.model, notes, chat.now)
    }

    private var typing: Typing {
        get throws {
            Typing(conversation: try ChatFixture.conversation(), user: ChatFixture.bob, isActive: true)
        }
    }

    @Test("The chat's lines hold none of it, and each stays one line")
    func chatLines() throws {
        for text in Self.corpus {
            let lines = try chat(text).notes.flatMap(PlainLines.lines(for:))
            #expect(lines.count > 10)
            for line in lines { #expect(HostileText.offences(in: line) == [] && !line.contains("\n"), "\(line)") }
        }
    }

    @Test("The chat's screen holds none of it, in any line of any width")
    func chatScreen() throws {
        for (number, text) in Self.corpus.enumerated() {
            let (model, notes, now) = try chat(text)
            var editor = LineEditor()
            editor.replace(with: text)
            let notice = notes.compactMap { if case .problem(let why) = $0 { why } else { nil } }
            var closed = model
            closed.open = nil
            for shown in [model, closed] {
                let screen = ChatScreen(size: ScreenSize(columns: 20 + number % 100, rows: 24), zone: zone, now: now)
                for line in screen.frame(shown, editor: editor, notice: notice, back: 0).lines {
                    #expect(HostileText.offences(in: line.text) == [] && !line.text.contains("\n"), "\(line.text)")
                }
            }
        }
    }

    @Test("The cluster's screen holds none of it, and no line is wider than the terminal")
    func top() {
        for text in Self.corpus {
            var model = TopModel()
            var status = TopTests.status(text, accepted: 1, at: 1)
            status.ready = false
            status.reasons = [text]
            status.store.failure = text
            status.slowReaders = .init(count: 1, slowest: [.init(user: text, device: text, seconds: 31, waiting: 1)])
            var look = TopTests.look(1, [text: status, "\(text)2": nil, "gone\(text)": nil], answeredBy: text)
            look.nodes[1].problem = text
            model.saw(look)
            look = TopTests.look(2, [text: status, "\(text)2": nil], answeredBy: text)
            look.nodes[1].problem = text
            model.saw(look)
            for columns in [20, 80, 220] {
                for line in TopView(columns: columns).lines(model) {
                    #expect(HostileText.offences(in: line.text) == [] && !line.text.contains("\n"), "\(line.text)")
                    #expect(line.width <= columns, "\(line.text)")
                }
            }
        }
    }

    @Test("A doctor's lines hold none of it, and each finding has one or two")
    func doctor() {
        for text in Self.corpus {
            var diagnosis = Diagnosis()
            diagnosis.findings = [.failure("check", text, change: text), .ok("other", text)]
            #expect(HostileText.offences(in: diagnosis.text()) == [])
            #expect(diagnosis.text().split(separator: "\n").count == 3)
        }
    }

    @Test("Why a command failed is told in one line")
    func failures() {
        for text in Self.corpus {
            let line = CommandFailure(text).description
            #expect(HostileText.offences(in: line) == [] && !line.contains("\n"))
        }
    }
}
