import Foundation

/// The terminal of this process: its size, raw mode and back, and what is written to it.
final class TerminalDevice {
    private var saved: termios?

    /// Both ends are a terminal: a person sits there.
    static var isInteractive: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

    var size: ScreenSize {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return .usual
        }
        return ScreenSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    /// Every key comes as it is pressed, nothing is echoed, and no key is a signal.
    func enterRaw() {
        var mode = termios()
        guard saved == nil, tcgetattr(STDIN_FILENO, &mode) == 0 else { return }
        saved = mode
        cfmakeraw(&mode)
        // Output keeps its line ends: what else is printed still looks as it should.
        mode.c_oflag |= tcflag_t(OPOST)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode)
    }

    /// As it was before `enterRaw`.
    func restore() {
        guard var mode = saved else { return }
        saved = nil
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode)
    }

    func write(_ text: String) {
        StandardOutput.write(text, to: STDOUT_FILENO)
    }
}

/// Unbuffered writes: what was printed is out, whatever happens to the process next.
enum StandardOutput {
    static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes = bytes.dropFirst(count)
            } else if errno == EAGAIN {
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&wait, 1, 1_000)
            } else if errno != EINTR {
                return
            }
        }
    }
}
