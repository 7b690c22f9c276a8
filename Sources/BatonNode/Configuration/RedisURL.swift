import Foundation

/// A Redis URL, whose password is in `text` only: its description hides it, so that no log or error can show it.
package struct RedisURL: Sendable, Hashable, CustomStringConvertible {
    package static let allowed = "redis[s]://[[user]:password@]host[:port][/database]"

    package let text: String

    package init(text: String) { self.text = text }

    /// Refuses what cannot be a Redis URL; names no part of it, since any part may be the password.
    package init(checking text: String) throws(ConfigurationValueError) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme,
            scheme == "redis" || scheme == "rediss"
        else { throw ConfigurationValueError("is not a Redis URL") }
        guard let host = parts.host, !host.isEmpty else { throw ConfigurationValueError("names no host") }
        guard parts.port.map({ (1...65_535).contains($0) }) ?? true else {
            throw ConfigurationValueError("has a port that does not exist")
        }
        guard parts.path.isEmpty || parts.path == "/" || Int(parts.path.dropFirst()).map({ $0 >= 0 }) == true else {
            throw ConfigurationValueError("has a database that is no number")
        }
        guard parts.query == nil, parts.fragment == nil else {
            throw ConfigurationValueError("has a query or a fragment, which mean nothing here")
        }
        self.text = text
    }

    /// Hides what stands between the user's name and the last `@`, which is the password, whatever it holds.
    package var description: String {
        guard let at = text.lastIndex(of: "@") else { return text }
        let start = text.range(of: "://")?.upperBound ?? text.startIndex
        guard start <= at else { return "***" }
        let user = text[start..<at].prefix { $0 != ":" }
        return "\(text[..<start])\(user):***\(text[at...])"
    }
}
