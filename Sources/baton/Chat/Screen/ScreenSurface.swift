import BatonCore
import Foundation

/// The chat on a terminal's screen, and the line that is being written there.
final class ScreenSurface: ChatSurface {
    private let terminal: TerminalDevice
    private let zone: TimeZone
    private var painter: ScreenPainter
    private var notice: [String] = []
    /// Lines the person has gone back from the end.
    private var back = 0
    var editor = LineEditor()

    init(terminal: TerminalDevice, zone: TimeZone, colours: Bool) {
        self.terminal = terminal
        self.zone = zone
        painter = ScreenPainter(colours: colours)
        enter()
    }

    func enter() {
        terminal.enterRaw()
        terminal.write(ScreenPainter.enter)
        painter.forget()
    }

    func leave() {
        terminal.write(ScreenPainter.leave)
        terminal.restore()
    }

    /// The whole screen is drawn anew: it was resized, or disturbed.
    func redraw() {
        painter.forget()
    }

    func tell(_ notes: [ChatNote]) {
        for note in notes {
            switch note {
            case .info(let text), .problem(let text): notice = [text]
            case .list(let lines): notice = lines
            // The screen itself shows these.
            case .message, .progress, .history, .presence, .typing, .connection, .opened: break
            }
        }
    }

    /// The person acts: what the chat said last was seen.
    func dismissNotice() {
        notice = []
    }

    /// - Parameter pages: how many to go back, negative to go on.
    /// - Returns: false where there is nothing more to go back to.
    func scroll(pages: Int, _ model: ChatModel, now: Timestamp) -> Bool {
        let screen = ChatScreen(size: terminal.size, zone: zone, now: now)
        let most = screen.maximumBack(model)
        let wanted = back + pages * max(1, screen.bodyRows - 2)
        back = min(max(0, wanted), most)
        return wanted <= most || pages < 0
    }

    func scrollToEnd() {
        back = 0
    }

    func draw(_ model: ChatModel, now: Timestamp) {
        let screen = ChatScreen(size: terminal.size, zone: zone, now: now)
        terminal.write(painter.paint(screen.frame(model, editor: editor, notice: notice, back: back)))
    }
}
