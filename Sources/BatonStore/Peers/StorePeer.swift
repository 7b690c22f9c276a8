public import BatonCore

/// A process that uses a store, as it tells the others: a line of `<store>-peers`.
///
///     id=8m3k2v0c1q9tz beat=17 at=1795252442441 doubt=no node=node-1 incarnation=1795252442286 address=127.0.0.1:8081
public struct StorePeer: Hashable, Sendable {
    /// Drawn anew by each process.
    public let id: UInt64
    /// Goes up with each look of the process: one that stands does not live, or stands still.
    public var beat: UInt64
    /// What time the process thinks it is.
    public var at: Timestamp
    /// The process has a reason of its own to doubt its clock.
    public var isClockDoubtful: Bool
    public var node: NodeID?
    public var incarnation: UInt64
    /// Where it is reached; empty while it does not listen.
    public var address: String

    init(id: UInt64, at: Timestamp) {
        self.id = id
        self.at = at
        beat = 0
        isClockDoubtful = false
        incarnation = 0
        address = ""
    }

    /// Bytes of a line, its end included: a process overwrites its own, and no other.
    static let lineBytes = 320

    /// What is not known yet.
    private static let none = "?"

    /// Nil where it does not fit.
    var line: [UInt8]? {
        let words = [
            "id=\(Base32.encode(id))", "beat=\(beat)", "at=\(at.milliseconds)",
            "doubt=\(isClockDoubtful ? "yes" : "no")",
            "node=\(node?.name ?? Self.none)", "incarnation=\(incarnation)",
            "address=\(address.isEmpty ? Self.none : address)",
        ]
        var line = Array(words.joined(separator: " ").utf8)
        guard line.count < Self.lineBytes, !address.contains(where: { $0 == " " || $0.isNewline }) else { return nil }
        line += [UInt8](repeating: UInt8(ascii: " "), count: Self.lineBytes - line.count - 1) + [UInt8(ascii: "\n")]
        return line
    }

    /// - Returns: nil for anything that no process writes, and for a line that is given back.
    init?(line: some Sequence<UInt8>) {
        guard let text = String(validating: line, as: UTF8.self) else { return nil }
        var values: [Substring: Substring] = [:]
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            guard let mark = word.firstIndex(of: "=") else { return nil }
            values[word[..<mark]] = word[word.index(after: mark)...]
        }
        guard let id = values["id"].flatMap({ Base32.decode($0.utf8) }),
            let beat = values["beat"].flatMap({ UInt64($0) }),
            let at = values["at"].flatMap({ Int64($0) }), let doubt = values["doubt"], let name = values["node"],
            let incarnation = values["incarnation"].flatMap({ UInt64($0) }), let address = values["address"]
        else { return nil }
        self.init(id: id, at: Timestamp(milliseconds: at))
        self.beat = beat
        isClockDoubtful = doubt == "yes"
        node = NodeID(String(name))
        self.incarnation = incarnation
        self.address = address == Self.none ? "" : String(address)
    }
}
