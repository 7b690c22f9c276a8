import BatonCore
import BatonNode
import Foundation
import UnixSignals

/// The cluster on a terminal's screen, looked at once a second until the person leaves.
actor TopScreen {
    private let source: TopSource
    private let terminal = TerminalDevice()
    private var painter: ScreenPainter
    private var model: TopModel
    private var view = TopView(columns: 80)
    private var problem: String?
    private var isPaused = false
    private var showsHelp = false
    /// Lines that were scrolled past.
    private var top = 0

    private static let help = [
        "q, Ctrl-C  leave", "s, left, right  sort by another column", "r  the other way round",
        "space  stop and go on", "up, down  scroll", "h, ?  this help",
    ]

    init(source: TopSource, model: TopModel, colours: Bool) {
        self.source = source
        self.model = model
        painter = ScreenPainter(colours: colours)
    }

    func run() async {
        terminal.enterRaw()
        terminal.write(ScreenPainter.enter)
        draw()
        let input = InputReader()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.follow(input) }
            group.addTask { await self.followSignals() }
            group.addTask { await self.refresh() }
            // The first to end, by a key or a signal, ends all.
            await group.next()
            group.cancelAll()
        }
        await input.close()
        terminal.write(ScreenPainter.leave)
        terminal.restore()
    }

    private func refresh() async {
        let clock = ContinuousClock()
        while !Task.isCancelled {
            let next = clock.now + .seconds(1)
            do throws(CommandFailure) {
                let look = try await source.look()
                problem = nil
                model.saw(look)
            } catch {
                problem = error.description
            }
            if !isPaused { draw() }
            try? await clock.sleep(until: next)
        }
    }

    private func follow(_ input: InputReader) async {
        var parser = KeyParser()
        while let bytes = await input.next() {
            for key in parser.parse(bytes) {
                guard pressed(key) else { return }
            }
            draw()
        }
    }

    private func followSignals() async {
        for await signal in await UnixSignalsSequence(trapping: .sigwinch, .sigterm, .sighup, .sigint) {
            guard signal == .sigwinch else { return }
            painter.forget()
            draw()
        }
    }

    /// - Returns: false where the person leaves.
    private func pressed(_ key: Key) -> Bool {
        let count = TopColumn.all.count
        switch key {
        case .text("q"), .control("c"), .control("d"): return false
        case .text("s"), .right: view.sort = (view.sort + 1) % count
        case .left: view.sort = (view.sort + count - 1) % count
        case .text("r"): view.isReversed.toggle()
        case .text(" "): isPaused.toggle()
        case .text("h"), .text("?"): showsHelp.toggle()
        case .up: top = max(0, top - 1)
        case .down: top += 1
        case .control("l"): painter.forget()
        default: break
        }
        return true
    }

    private func draw() {
        let size = terminal.size.usable
        view.columns = size.columns
        var lines = showsHelp ? Self.help.map { StyledLine("  " + $0) } : view.lines(model)
        top = min(top, max(0, lines.count - (size.rows - 1)))
        lines = Array(lines.dropFirst(top).prefix(size.rows - 1))
        while lines.count < size.rows - 1 { lines.append(StyledLine()) }
        let state = problem.map { PrintableText.escaped($0) + "; trying again" } ?? (isPaused ? "paused" : "")
        lines.append(
            StyledLine.bar(
                left: state, right: "q leave  s sort  r reverse  space pause  h help", columns: size.columns,
                style: problem == nil ? .dim : .warning))
        terminal.write(painter.paint(lines, cursorColumn: nil))
    }
}
