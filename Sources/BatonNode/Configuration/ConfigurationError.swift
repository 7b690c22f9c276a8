import BatonCore

/// Why a node does not start: one line that says which key, where it was set, what was wrong and what is allowed.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    init(key: String, source: ConfigurationSource, problem: String, allowed: String?) {
        let rule = allowed.map { " (allowed: \($0))" } ?? ""
        self.description = PrintableText.escaped("configuration: \(key), \(source): \(problem)\(rule)")
    }

    init(source: ConfigurationSource, problem: String) {
        self.description = PrintableText.escaped("configuration: \(source): \(problem)")
    }
}

/// What is wrong with one value; who reads it knows the key and the source.
package struct ConfigurationValueError: Error, Sendable, Equatable {
    let problem: String

    init(_ problem: String) { self.problem = problem }
}

/// Where a value was set.
package enum ConfigurationSource: Sendable, Hashable, CustomStringConvertible {
    case file(String, line: Int?)
    case environment(String)
    case flag(String)

    package var description: String {
        switch self {
        case .file(let path, let line): line.map { "\(path):\($0)" } ?? path
        case .environment(let name): "environment variable \(name)"
        case .flag(let name): "flag \(name)"
        }
    }
}
