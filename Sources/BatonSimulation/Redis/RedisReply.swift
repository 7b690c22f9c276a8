/// What Redis answers, and how that is written.
indirect enum RedisReply {
    case simple(String)
    case error(String)
    case integer(Int)
    case bulk([UInt8])
    case null
    case array([RedisReply])

    func write(to bytes: inout [UInt8]) {
        switch self {
        case .simple(let text): bytes += "+\(text)\r\n".utf8
        case .error(let text): bytes += "-\(text)\r\n".utf8
        case .integer(let number): bytes += ":\(number)\r\n".utf8
        case .bulk(let content):
            bytes += "$\(content.count)\r\n".utf8
            bytes += content
            bytes += "\r\n".utf8
        case .null: bytes += "$-1\r\n".utf8
        case .array(let parts):
            bytes += "*\(parts.count)\r\n".utf8
            for part in parts { part.write(to: &bytes) }
        }
    }

    static func text(_ text: String) -> RedisReply { .bulk(Array(text.utf8)) }
}

/// Takes commands out of what was received: arrays of strings, as clients write them.
struct RedisCommandReader {
    private var bytes: [UInt8] = []
    private var start = 0

    mutating func feed(_ more: some Sequence<UInt8>) {
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            start = 0
        }
        bytes += more
    }

    /// The next whole command; nil where there is none yet.
    mutating func next() -> [[UInt8]]? {
        var index = start
        guard let count = number(&index, behind: UInt8(ascii: "*")) else { return nil }
        var words: [[UInt8]] = []
        for _ in 0..<count {
            guard let length = number(&index, behind: UInt8(ascii: "$")), index + length + 2 <= bytes.count else {
                return nil
            }
            words.append(Array(bytes[index..<index + length]))
            index += length + 2
        }
        start = index
        return words
    }

    private func number(_ index: inout Int, behind mark: UInt8) -> Int? {
        guard index < bytes.count, bytes[index] == mark else { return nil }
        var value = 0
        var position = index + 1
        while position + 1 < bytes.count, bytes[position] != UInt8(ascii: "\r") {
            value = value * 10 + Int(bytes[position]) - 48
            position += 1
        }
        guard position + 1 < bytes.count else { return nil }
        index = position + 2
        return value
    }
}
