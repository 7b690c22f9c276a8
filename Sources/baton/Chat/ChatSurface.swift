import BatonCore

/// Where the chat is shown: lines for pipes, a screen for people.
protocol ChatSurface: AnyObject {
    /// Something happened.
    func tell(_ notes: [ChatNote])
    /// The state is another one; may be called often.
    func draw(_ model: ChatModel, now: Timestamp)
    /// Gives the terminal back.
    func leave()
}

/// Lines on standard output.
final class PlainSurface: ChatSurface {
    func tell(_ notes: [ChatNote]) {
        for line in notes.flatMap(PlainLines.lines(for:)) { Output.line(line) }
    }

    func draw(_ model: ChatModel, now: Timestamp) {}
    func leave() {}
}
