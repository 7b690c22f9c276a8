import BatonCore

/// A bus message's text: words that `redis-cli` shows, and behind an event's two words its frame.
///
///     event <inbox sequence> <frame>
///     head <inbox sequence>
///     typing <conversation> <user> on|off
///     displaced <device> <generation>
///     revoked <device>
///     acquaintance <user>
///     presence <user> online
///     presence <user> offline <time>|never
extension BusMessage {
    var text: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    /// Bytes of the text, at most.
    var textCount: Int {
        if case .event(_, let frame) = self { frame.count + 32 } else { 96 }
    }

    func append(to bytes: inout [UInt8]) {
        switch self {
        case .event(let sequence, let frame):
            bytes.append(contentsOf: "event \(sequence.rawValue) ".utf8)
            bytes.append(contentsOf: frame)
        case .head(let sequence):
            bytes.append(contentsOf: "head \(sequence.rawValue)".utf8)
        case .typing(let conversation, let user, let active):
            bytes.append(contentsOf: "typing \(conversation) \(user) \(active ? "on" : "off")".utf8)
        case .displaced(let device, let generation):
            bytes.append(contentsOf: "displaced \(device) \(generation)".utf8)
        case .revoked(let device):
            bytes.append(contentsOf: "revoked \(device)".utf8)
        case .acquaintance(let user):
            bytes.append(contentsOf: "acquaintance \(user)".utf8)
        case .presence(let user, .online):
            bytes.append(contentsOf: "presence \(user) online".utf8)
        case .presence(let user, .offline(let lastSeen)):
            bytes.append(contentsOf: "presence \(user) offline \(lastSeen?.text ?? "never")".utf8)
        }
    }

    /// - Returns: nil for anything that no node of this version sends.
    init?(text: ArraySlice<UInt8>) {
        if text.starts(with: Self.eventPrefix) {
            self.init(event: text)
            return
        }
        guard text.count <= 96, let line = String(validating: text, as: UTF8.self) else { return nil }
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        switch (words[0], words.count) {
        case ("typing", 4):
            guard let conversation = ConversationID(String(words[1])), let user = UserID(String(words[2])),
                words[3] == "on" || words[3] == "off"
            else { return nil }
            self = .typing(conversation, by: user, active: words[3] == "on")
        case ("head", 2):
            guard let number = UInt64(words[1]), number > 0, number <= UInt64(Int64.max), "\(number)" == words[1]
            else { return nil }
            self = .head(InboxSequence(rawValue: number))
        case ("displaced", 3):
            guard let device = DeviceID(String(words[1])), let generation = ConnectionGeneration(String(words[2]))
            else { return nil }
            self = .displaced(device, by: generation)
        case ("revoked", 2):
            guard let device = DeviceID(String(words[1])) else { return nil }
            self = .revoked(device)
        case ("acquaintance", 2):
            guard let user = UserID(String(words[1])) else { return nil }
            self = .acquaintance(user)
        case ("presence", 3) where words[2] == "online":
            guard let user = UserID(String(words[1])) else { return nil }
            self = .presence(user, .online)
        case ("presence", 4) where words[2] == "offline":
            guard let user = UserID(String(words[1])) else { return nil }
            if words[3] == "never" {
                self = .presence(user, .offline(lastSeen: nil))
            } else {
                guard let time = Timestamp(text: words[3].utf8) else { return nil }
                self = .presence(user, .offline(lastSeen: time))
            }
        default:
            return nil
        }
    }

    static let eventPrefix = Array("event ".utf8)

    private init?(event text: ArraySlice<UInt8>) {
        var number: UInt64 = 0
        let first = text.startIndex + Self.eventPrefix.count
        var index = first
        while index < text.endIndex, text[index] != UInt8(ascii: " ") {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index]), index - first < 19 else { return nil }
            number = number * 10 + UInt64(text[index] - UInt8(ascii: "0"))
            index += 1
        }
        // One number has one text, and an inbox begins at 1.
        guard index > first, index < text.endIndex, text[first] != UInt8(ascii: "0"), number <= UInt64(Int64.max)
        else { return nil }
        self = .event(InboxSequence(rawValue: number), frame: Array(text[(index + 1)...]))
    }
}
