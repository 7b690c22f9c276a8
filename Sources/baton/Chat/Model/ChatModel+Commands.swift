import BatonClient
import BatonCore

/// What the person writes: a message, or a command that begins with `/`.
extension ChatModel {
    static let help = [
        "/open NAME      talk to somebody; what you type goes there",
        "/list           your conversations",
        "/more           older messages of this conversation",
        "/who [NAME]     about somebody",
        "/close          back to the list",
        "/devices        your devices; /revoke ID logs one out",
        "/logout         log this device out and leave",
        "/quit           leave; messages that wait go out next time",
        "//text          sends \"/text\"",
    ]

    mutating func entered(_ line: String, now: Timestamp) -> ChatStep {
        guard line.hasPrefix("/") else { return message(line, now: now) }
        if line.hasPrefix("//") { return message(String(line.dropFirst()), now: now) }
        let words = line.dropFirst().split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        let argument = words.count > 1 ? words[1].trimmed : ""
        switch words.first.map(String.init) ?? "" {
        case "help", "h", "?": return .note(.list(Self.help))
        case "open", "o": return openCommand(argument, now: now)
        case "list", "l": return list(now: now)
        case "more", "m": return more()
        case "who", "w": return who(argument, now: now)
        case "close", "c":
            open = nil
            return ChatStep()
        case "devices": return .request(.devices)
        case "revoke":
            guard let id = DeviceID(argument) else { return .note(.problem("/revoke ID: see /devices for the ids")) }
            return .request(.revoke(id))
        case "logout": return .request(.logout)
        case "quit", "q", "exit": return .request(.quit)
        case let word: return .note(.problem("there is no command /\(PrintableText.escaped(word)); /help shows all"))
        }
    }

    /// What Tab makes of the line: the one command, or the one name, that begins so.
    func completion(of line: String) -> String? {
        let commands = [
            "/open ", "/list", "/more", "/who ", "/close", "/devices", "/revoke ", "/logout", "/quit", "/help",
        ]
        var candidates = commands
        for command in ["/open ", "/who "] where line.hasPrefix(command) {
            candidates = people.values.map { command + $0.handle }
        }
        let fitting = candidates.filter { $0.hasPrefix(line) && $0 != line }
        return line.hasPrefix("/") && fitting.count == 1 ? fitting[0] : nil
    }

    private mutating func message(_ line: String, now: Timestamp) -> ChatStep {
        guard line.contains(where: { !$0.isWhitespace }) else { return ChatStep() }
        guard let open else {
            return .note(.problem(awaitedText ?? "nobody is listening: /open NAME first"))
        }
        // Where there is no conversation yet, a message to the user makes it.
        let recipient: Recipient = open.peer(of: me).map { .user($0) } ?? .conversation(open)
        return .request(.send(line, to: recipient))
    }

    private mutating func openCommand(_ argument: String, now: Timestamp) -> ChatStep {
        let handle = argument.hasPrefix("@") ? String(argument.dropFirst()) : argument
        guard !handle.isEmpty else { return .note(.problem("/open NAME: who?")) }
        if let known = threads.values.first(where: { $0.id.isDirect && name(of: $0.members) == handle.lowercased() }) {
            return show(known.id, now: now)
        }
        return .request(.open(handle: handle))
    }

    private func name(of members: [UserID]) -> String? {
        members.first.flatMap { people[$0]?.handle }
    }

    private func list(now: Timestamp) -> ChatStep {
        let threads = listed
        guard !threads.isEmpty else { return .note(.info("no conversations yet: /open NAME begins one")) }
        return .note(
            .list(
                threads.map { thread in
                    let unread = thread.unread > 0 ? "  \(thread.unread) unread" : ""
                    let presence = thread.members.count == 1 ? self.presence(of: thread.members[0], now: now) : nil
                    return "\(title(of: thread.id))\(unread)\(presence.map { "  (\($0))" } ?? "")"
                }))
    }

    private func more() -> ChatStep {
        guard let open, let thread = threads[open] else { return .note(.problem("no conversation is open")) }
        guard let first = thread.entries.first?.sequence, thread.hasOlder else {
            return .note(.info("this is the beginning of the conversation"))
        }
        return .request(.older(before: MessageID(conversation: open, sequence: first)))
    }

    private func who(_ argument: String, now: Timestamp) -> ChatStep {
        let handle = argument.hasPrefix("@") ? String(argument.dropFirst()) : argument
        if !handle.isEmpty { return .request(.who(handle: handle)) }
        guard let open, let peer = open.peer(of: me), let handle = people[peer]?.handle else {
            return .request(.who(handle: self.handle))
        }
        return .request(.who(handle: handle))
    }
}

extension Substring {
    var trimmed: String {
        var text = drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
