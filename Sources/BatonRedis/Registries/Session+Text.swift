package import BatonCore

/// A session as it stands in Redis: `node=a incarnation=7 generation=… since=2026-11-21T08:13:27.123Z client=chat/1.0`, and
/// behind it ` renewed=` with the seconds of Redis' clock when it was last written, which is Redis' own.
extension Session {
    package var text: String {
        "\(owner)generation=\(generation) since=\(since.text) client=\(Self.word(client))"
    }

    /// How the text of every session of the same node and incarnation begins, and no other.
    var owner: String { Self.owner(node, incarnation: incarnation) }

    static func owner(_ node: NodeID, incarnation: UInt64) -> String { "node=\(node) incarnation=\(incarnation) " }

    /// - Returns: nil for anything that no node of this version writes.
    package init?(user: UserID, device: DeviceID, text: String) {
        guard text.utf8.count <= 512 else { return nil }
        var words = text.split(separator: " ", omittingEmptySubsequences: false)
        // Nodes of a version before write none.
        if words.count == 6, let renewed = words.last, renewed.hasPrefix("renewed="),
            UInt64(renewed.dropFirst(8)) != nil
        {
            words.removeLast()
        }
        let names = ["node=", "incarnation=", "generation=", "since=", "client="]
        guard words.count == names.count, zip(words, names).allSatisfy({ $0.hasPrefix($1) }) else { return nil }
        let values = zip(words, names).map { String($0.dropFirst($1.count)) }
        guard let node = NodeID(values[0]), let incarnation = UInt64(values[1]),
            let generation = ConnectionGeneration(values[2]), let since = Timestamp(text: values[3].utf8)
        else { return nil }
        self.init(
            user: user, device: device, node: node, incarnation: incarnation, generation: generation, since: since,
            client: values[4])
    }

    /// What a client calls itself, as one word: the registry cannot rely on a client having been asked nicely.
    private static func word(_ client: String) -> String {
        var word = ""
        for scalar in client.unicodeScalars {
            let isBlank = scalar.value <= 0x20 || scalar.value == 0x7f || scalar.properties.isWhitespace
            let next = isBlank ? "_" : scalar
            guard word.utf8.count + UTF8.width(next) <= Limits.Connection.clientNameLength else { break }
            word.unicodeScalars.append(next)
        }
        return word
    }
}
