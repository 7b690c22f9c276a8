import Foundation
import UnixSignals

/// Keys, lines and signals.
extension ChatSession {
    func followInput(_ input: InputReader) async -> Ending? {
        if screen != nil {
            var parser = KeyParser()
            while let bytes = await input.next() {
                for key in parser.parse(bytes) { await pressed(key) }
            }
            // The terminal is gone.
            return Task.isCancelled ? nil : .left
        }
        await waitUntilReady()
        var splitter = LineSplitter()
        while let bytes = await input.next() {
            for line in splitter.lines(of: bytes) { await entered(line) }
        }
        if let line = splitter.end() { await entered(line) }
        if !Task.isCancelled { await endOfInput() }
        return nil
    }

    func followSignals() async -> Ending? {
        for await signal in await UnixSignalsSequence(trapping: .sigwinch, .sigterm, .sighup, .sigint) {
            guard signal == .sigwinch else { return .left }
            screen?.redraw()
            screen?.draw(model, now: now)
        }
        return nil
    }

    private func entered(_ line: String) async {
        await perform(model.entered(line, now: now))
    }

    private func pressed(_ key: Key) async {
        guard let screen else { return }
        switch screen.editor.apply(key) {
        case .submitted(let line):
            screen.dismissNotice()
            screen.scrollToEnd()
            await entered(line)
        case .edited:
            let editor = screen.editor
            await perform(
                model.edited(isEmpty: editor.isEmpty, isCommand: editor.text.hasPrefix("/"), now: now))
        case .unchanged: screen.draw(model, now: now)
        case .unhandled(let key): await unhandled(key, screen)
        }
    }

    private func unhandled(_ key: Key, _ screen: ScreenSurface) async {
        switch key {
        case .control("c"), .control("d"): end(.left)
        case .control("l"): screen.redraw()
        case .control("z"):
            screen.leave()
            // Returns when the shell brings the process back.
            kill(getpid(), SIGSTOP)
            screen.enter()
        case .pageUp:
            if !screen.scroll(pages: 1, model, now: now), let open = model.open,
                model.threads[open]?.hasOlder == true
            {
                await perform(model.entered("/more", now: now))
            }
        case .pageDown: _ = screen.scroll(pages: -1, model, now: now)
        case .tab: if let line = model.completion(of: screen.editor.text) { screen.editor.replace(with: line) }
        default: break
        }
        screen.draw(model, now: now)
    }
}
