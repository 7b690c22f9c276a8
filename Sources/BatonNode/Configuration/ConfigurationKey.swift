/// One key of the configuration: its name, what it means, what is allowed, and how its text becomes a value and back.
///
/// One table of these (`NodeConfiguration.keys`) drives the file, the environment, the flags, the check of unknown keys,
/// `--print-config` and `Configs/node.yaml`, so that none of them can disagree.
package struct ConfigurationKey: Sendable {
    /// Dotted, as in `listen.port`.
    package let name: String
    /// Sentences for people.
    package let documentation: String
    /// What may stand there, in words.
    package let allowed: String
    let apply: @Sendable (ConfigurationValue, inout NodeConfiguration) throws(ConfigurationValueError) -> Void
    /// The value as it would be written in a file, nil where it is not set.
    let render: @Sendable (NodeConfiguration) -> ConfigurationValue?

    /// `listen.trustedProxies` is `BATON_LISTEN_TRUSTED_PROXIES`.
    package var environmentName: String {
        var name = "BATON_"
        var wasLower = false
        // A unit is one word.
        for character in self.name.replacing("KiB", with: "Kib") {
            if character == "." {
                name.append("_")
            } else {
                if character.isUppercase, wasLower { name.append("_") }
                name.append(contentsOf: character.uppercased())
            }
            wasLower = character.isLowercase || character.isNumber
        }
        return name
    }
}

/// A value before it is understood: one text, or several.
package enum ConfigurationValue: Sendable, Hashable {
    case text(String)
    case list([String])

    /// The one text, or an error that says that there are several.
    func single() throws(ConfigurationValueError) -> String {
        switch self {
        case .text(let text): return text
        case .list: throw ConfigurationValueError("is a list where one value belongs")
        }
    }
}

/// The types that a key may have.
extension ConfigurationKey {
    typealias Field<Value> = any WritableKeyPath<NodeConfiguration, Value> & Sendable

    static func integer(
        _ name: String, _ field: Field<Int>, _ range: ClosedRange<Int>, _ documentation: String
    ) -> Self {
        Self(name: name, documentation: documentation, allowed: "\(range.lowerBound) to \(range.upperBound)") {
            value, configuration throws(ConfigurationValueError) in
            configuration[keyPath: field] = try parseInteger(value, range)
        } render: {
            .text(String($0[keyPath: field]))
        }
    }

    static func optionalInteger(
        _ name: String, _ field: Field<Int?>, _ range: ClosedRange<Int>, _ documentation: String
    ) -> Self {
        Self(name: name, documentation: documentation, allowed: "\(range.lowerBound) to \(range.upperBound)") {
            value, configuration throws(ConfigurationValueError) in
            configuration[keyPath: field] = try parseInteger(value, range)
        } render: {
            $0[keyPath: field].map { .text(String($0)) }
        }
    }

    static func boolean(_ name: String, _ field: Field<Bool>, _ documentation: String) -> Self {
        Self(name: name, documentation: documentation, allowed: "true or false") {
            value, configuration throws(ConfigurationValueError) in
            let text = try value.single()
            guard text == "true" || text == "false" else { throw ConfigurationValueError("'\(text)' is neither") }
            configuration[keyPath: field] = text == "true"
        } render: {
            .text(String($0[keyPath: field]))
        }
    }

    static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String, _ field: Field<Choice>, _ documentation: String
    ) -> Self {
        let allowed = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        return Self(name: name, documentation: documentation, allowed: allowed) {
            value, configuration throws(ConfigurationValueError) in
            let text = try value.single()
            guard let choice = Choice(rawValue: text) else {
                throw ConfigurationValueError("'\(text)' is not one of them")
            }
            configuration[keyPath: field] = choice
        } render: {
            .text($0[keyPath: field].rawValue)
        }
    }

    /// A text of any type that has one.
    static func text<Value: Sendable>(
        _ name: String, _ field: Field<Value>, allowed: String, _ documentation: String,
        parse: @escaping @Sendable (String) throws(ConfigurationValueError) -> Value,
        render: @escaping @Sendable (Value) -> String?
    ) -> Self {
        Self(name: name, documentation: documentation, allowed: allowed) {
            value, configuration throws(ConfigurationValueError) in
            configuration[keyPath: field] = try parse(value.single())
        } render: {
            render($0[keyPath: field]).map { .text($0) }
        }
    }

    /// Several texts: a sequence in a file, separated by commas elsewhere.
    static func list(
        _ name: String, _ field: Field<[String]>, allowed: String, _ documentation: String,
        check: @escaping @Sendable (String) throws(ConfigurationValueError) -> Void
    ) -> Self {
        Self(name: name, documentation: documentation, allowed: allowed) {
            value, configuration throws(ConfigurationValueError) in
            let items = items(of: value)
            guard items.count <= maximumListItems else {
                throw ConfigurationValueError("has \(items.count) items, more than \(maximumListItems)")
            }
            for item in items { try check(item) }
            configuration[keyPath: field] = items
        } render: {
            .list($0[keyPath: field])
        }
    }

    static let maximumListItems = 256

    private static func items(of value: ConfigurationValue) -> [String] {
        switch value {
        case .list(let items): items
        case .text(let text):
            text.split(separator: ",").map { item in
                String(item.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            }
        }
    }

    private static func parseInteger(
        _ value: ConfigurationValue, _ range: ClosedRange<Int>
    ) throws(ConfigurationValueError) -> Int {
        let text = try value.single()
        // Underscores as in Swift and YAML 1.1, which people write to read long numbers.
        guard let first = text.utf8.first, first != UInt8(ascii: "_"), let number = Int(text.filter { $0 != "_" })
        else { throw ConfigurationValueError("'\(text)' is not a whole number") }
        guard range.contains(number) else { throw ConfigurationValueError("\(number) is out of range") }
        return number
    }
}
