import BatonCore

/// What the line mode prints: one line a happening, the same for the same happenings, without times and colours.
///
///     * conversation with bob (online)
///     > bob: hello  [waiting]
///     > bob: hello  [accepted]
///     > bob: hello  [read]
///     < bob: hello yourself
///
/// `<` came, `>` went, `=` is from the history, `*` is said by the chat, `!` is a problem.
enum PlainLines {
    static func lines(for note: ChatNote) -> [String] { words(for: note).map { PrintableText.escaped($0) } }

    private static func words(for note: ChatNote) -> [String] {
        switch note {
        case .message(let entry, let sender, let conversation, let isOwn):
            // Another device of the user's wrote it.
            if isOwn { return ["> \(conversation): \(oneLine(entry.text))  [accepted]"] }
            let group = conversation == sender ? "" : "\(conversation) | "
            return ["< \(group)\(sender): \(oneLine(entry.text))"]
        case .progress(let entry, let conversation, let tick):
            return ["> \(conversation): \(oneLine(entry.text))  [\(tick.word)]"]
        case .history(_, let lines):
            return lines.map { line in
                "= \(line.sender): \(oneLine(line.entry.text))\(line.tick.map { "  [\($0.word)]" } ?? "")"
            }
        case .presence(let text), .connection(let text), .opened(let text), .info(let text):
            return ["* \(oneLine(text))"]
        case .typing(let name, let isActive): return ["* \(name) \(isActive ? "is typing…" : "stopped typing")"]
        case .list(let lines): return lines.map { "* \(oneLine($0))" }
        case .problem(let text): return ["! \(oneLine(text))"]
        }
    }

    private static func oneLine(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: " ⏎ ")
    }
}

extension Tick {
    var word: String {
        switch self {
        case .waiting: "waiting"
        case .accepted: "accepted"
        case .delivered: "delivered"
        case .read: "read"
        case .refused: "refused"
        }
    }
}
