/// The answer to `INFO`, as fields.
struct RedisInfo: Sendable {
    private let fields: [Substring: Substring]

    init(_ text: String) {
        var fields: [Substring: Substring] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon]] = line[line.index(after: colon)...]
        }
        self.fields = fields
    }

    subscript(name: Substring) -> String? { fields[name].map(String.init) }

    func number(_ name: Substring) -> Int64? { fields[name].flatMap { Int64($0) } }
}
