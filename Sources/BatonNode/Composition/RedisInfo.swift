/// The answer to `INFO`, as fields.
package struct RedisInfo: Sendable {
    private let fields: [Substring: Substring]

    package init(_ text: String) {
        var fields: [Substring: Substring] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon]] = line[line.index(after: colon)...]
        }
        self.fields = fields
    }

    package subscript(name: Substring) -> String? { fields[name].map(String.init) }

    package func number(_ name: Substring) -> Int64? { fields[name].flatMap { Int64($0) } }
}
