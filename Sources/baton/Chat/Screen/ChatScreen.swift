import BatonCore
import Foundation

/// Draws the chat as lines: a header, the conversation or the list of them, a line that says what goes on, and the
/// line that is being written. Pure: the same state makes the same lines.
struct ChatScreen {
    struct Frame: Hashable {
        var lines: [StyledLine]
        /// Where the cursor stands, from zero.
        var cursorColumn: Int
    }

    let size: ScreenSize
    let zone: TimeZone
    let now: Timestamp

    init(size: ScreenSize, zone: TimeZone, now: Timestamp) {
        self.size = size.usable
        self.zone = zone
        self.now = now
    }

    /// Lines between the header and the line above the input.
    var bodyRows: Int { size.rows - 3 }

    /// - Parameter back: how many lines the person has gone back from the end.
    func frame(_ model: ChatModel, editor: LineEditor, notice: [String], back: Int) -> Frame {
        var body = body(model)
        let notice = notice.flatMap { TerminalText.wrapped($0, columns: size.columns - 2) }.suffix(bodyRows)
        let rows = bodyRows - notice.count
        body.removeLast(min(back, max(0, body.count - rows)))
        let shown = Array(body.suffix(rows))
        let blank = Array(repeating: StyledLine(), count: rows - shown.count)
        let input = editor.visible(columns: size.columns - 3)
        var line = StyledLine("> ", .bold)
        line.add(input.text)
        let noticeLines = notice.map { StyledLine("* \($0)", .dim) }
        let upper = [header(model)] + (model.open == nil ? shown + blank : blank + shown)
        return Frame(
            lines: upper + noticeLines + [status(model, isBack: back > 0), line],
            cursorColumn: 2 + input.cursorColumn)
    }

    /// How many lines there are to go back to.
    func maximumBack(_ model: ChatModel) -> Int { max(0, body(model).count - bodyRows) }

    // MARK: Parts

    private func header(_ model: ChatModel) -> StyledLine {
        var left = " baton"
        if let open = model.open {
            let peer = open.peer(of: model.me).flatMap { model.presence(of: $0, now: now) }
            left = " \(model.title(of: open))\(peer.map { " · \($0)" } ?? "")"
        }
        let sign =
            switch model.connection {
            case .online: "●"
            case .catchingUp: "◐"
            case .connecting, .waiting, .offline: "○"
            }
        let node =
            switch model.connection {
            case .online(let node), .catchingUp(let node): " \(node)"
            default: ""
            }
        return .bar(left: left, right: "\(model.handle) \(sign)\(node) ", columns: size.columns, style: .reverse)
    }

    /// What goes on: trouble with the connection before all, then who types, then what waits elsewhere.
    private func status(_ model: ChatModel, isBack: Bool) -> StyledLine {
        let waiting = model.waitingCount
        let waits = waiting > 0 ? "🕓 \(waiting) waiting" : ""
        switch model.connection {
        case .online: break
        default:
            let text = " \(model.connectionText(now: now))"
            return .bar(left: text, right: waits, columns: size.columns, style: .warning)
        }
        var left = isBack ? " ↓ PageDown for the latest" : ""
        if left.isEmpty, let open = model.open, let typing = model.typing(in: open) { left = " \(typing)" }
        let unread = model.unreadElsewhere
        let right = waiting > 0 ? waits : unread > 0 ? "\(unread) unread elsewhere: /list" : ""
        return .bar(left: left, right: right, columns: size.columns, style: .dim)
    }

    private func body(_ model: ChatModel) -> [StyledLine] {
        guard let open = model.open else { return list(model) }
        guard let thread = model.threads[open] else { return [] }
        var lines: [StyledLine] = []
        if !thread.isLoaded {
            lines.append(StyledLine("  loading…", .dim))
        } else if thread.hasOlder {
            lines.append(StyledLine("  /more shows older messages", .dim))
        } else if thread.shown.isEmpty {
            lines.append(StyledLine("  nothing written yet", .dim))
        }
        var day: String?
        for entry in thread.shown {
            let its = ChatTime.day(entry.at, in: zone)
            if its != day { lines.append(StyledLine("  ── \(its) ──", .dim)) }
            day = its
            lines += self.lines(of: entry, in: thread, model)
        }
        return lines
    }

    /// `14:05 alice  text   ✓✓`, wrapped behind the name.
    private func lines(of entry: ChatEntry, in thread: ChatThread, _ model: ChatModel) -> [StyledLine] {
        let isOwn = entry.sender == model.me
        let time = ChatTime.clock(entry.at, in: zone)
        let name = TerminalText.cut(isOwn ? "you" : model.name(of: entry.sender), to: 12)
        let indent = TerminalText.width("\(time) \(name)") + 2
        // Four columns at the end are the ticks'.
        let texts = TerminalText.wrapped(entry.text, columns: max(8, size.columns - indent - 4))
        var lines = texts.enumerated().map { index, text in
            var line = StyledLine()
            if index == 0 {
                line.add("\(time) ", .dim)
                line.add(name, isOwn ? .dim : .bold)
                line.add("  ")
            } else {
                line.add(String(repeating: " ", count: indent))
            }
            line.add(text)
            return line
        }
        if isOwn { lines[lines.count - 1].addTick(thread.tick(of: entry)) }
        if case .refused(let why) = entry.state {
            let text = TerminalText.cut("not sent: \(why)", to: size.columns - indent)
            lines.append(StyledLine(String(repeating: " ", count: indent) + text, .warning))
        }
        return lines
    }

    private func list(_ model: ChatModel) -> [StyledLine] {
        let threads = model.listed
        if threads.isEmpty {
            guard model.isListed else { return [StyledLine("  loading…", .dim)] }
            let text = model.awaitedText ?? "no conversations yet: /open NAME begins one"
            return [StyledLine(TerminalText.cut("  \(text)", to: size.columns), .dim)]
        }
        var lines = [StyledLine("  your conversations: /open NAME", .dim)]
        for thread in threads {
            var line = StyledLine(thread.unread > 0 ? "● " : "  ", .good)
            let title = TerminalText.cut(model.title(of: thread.id), to: max(8, size.columns / 2))
            line.add(title, thread.unread > 0 ? .bold : .plain)
            if thread.unread > 0 { line.add("  \(thread.unread) unread", .good) }
            if thread.members.count == 1, let presence = model.presence(of: thread.members[0], now: now) {
                line.add("  \(presence)", .dim)
            }
            lines.append(line)
        }
        return lines
    }
}

extension StyledLine {
    fileprivate mutating func addTick(_ tick: Tick) {
        switch tick {
        case .waiting: add(" 🕓", .dim)
        case .accepted: add(" ✓", .dim)
        case .delivered: add(" ✓✓", .dim)
        case .read: add(" ✓✓", .read)
        case .refused: add(" ✗", .warning)
        }
    }
}
