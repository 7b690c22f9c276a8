/// Where Redis is and as whom to speak to it.
///
/// `redis://[user[:password]@]host[:port][/database]`, `rediss://` for TLS, `unix:///path[?db=number]`. A password alone
/// is written `redis://:password@host`. User and password may be percent-encoded. The description shows no password.
package struct RedisURL: Hashable, Sendable {
    package enum Place: Hashable, Sendable {
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    package static let defaultPort = 6379

    package let place: Place
    package let usesTLS: Bool
    package let user: String?
    package let password: String?
    package let database: Int

    /// A standalone server without a password, as tests and `ops/up` start it.
    package init(host: String, port: Int, usesTLS: Bool = false) {
        self.init(place: .tcp(host: host, port: port), usesTLS: usesTLS, user: nil, password: nil, database: 0)
    }

    private init(place: Place, usesTLS: Bool, user: String?, password: String?, database: Int) {
        self.place = place
        self.usesTLS = usesTLS
        self.user = user
        self.password = password
        self.database = database
    }

    package init(_ text: String) throws(RedisURLError) {
        guard let mark = text.firstRange(of: "://") else { throw .noScheme }
        let rest = text[mark.upperBound...]
        switch text[..<mark.lowerBound] {
        case "redis": try self.init(authority: rest, usesTLS: false)
        case "rediss": try self.init(authority: rest, usesTLS: true)
        case "unix": try self.init(socket: rest)
        default: throw .unknownScheme(String(text[..<mark.lowerBound].prefix(16)))
        }
    }

    private init(socket rest: Substring) throws(RedisURLError) {
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts.first, path.hasPrefix("/"), path.utf8.count > 1 else { throw .noSocketPath }
        var database = 0
        if parts.count == 2 {
            guard parts[1].hasPrefix("db=") else { throw .unknownOption }
            database = try Self.database(parts[1].dropFirst(3))
        }
        self.init(place: .unix(path: String(path)), usesTLS: false, user: nil, password: nil, database: database)
    }

    private init(authority rest: Substring, usesTLS: Bool) throws(RedisURLError) {
        guard !rest.contains("?"), !rest.contains("#") else { throw .unknownOption }
        let slash = rest.firstIndex(of: "/")
        let authority = rest[..<(slash ?? rest.endIndex)]
        let path = slash.map { rest[rest.index(after: $0)...] } ?? ""

        var user: String?
        var password: String?
        var address = authority
        if let at = authority.lastIndex(of: "@") {
            address = authority[authority.index(after: at)...]
            let login = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decoded(login[0])
            user = name.isEmpty ? nil : name
            password = login.count == 2 ? try Self.decoded(login[1]) : nil
            if user != nil, password == nil { throw .noPassword }
        }
        let (host, port) = try Self.hostAndPort(address)
        self.init(
            place: .tcp(host: host, port: port), usesTLS: usesTLS, user: user, password: password,
            database: path.isEmpty ? 0 : try Self.database(path))
    }

    private static func hostAndPort(_ text: Substring) throws(RedisURLError) -> (String, Int) {
        var host = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw .noHost }
            host = text[text.index(after: text.startIndex)..<end]
            let tail = text[text.index(after: end)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { throw .badPort }
            port = tail.isEmpty ? nil : tail.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard !host.isEmpty else { throw .noHost }
        guard let port else { return (String(host), defaultPort) }
        guard let number = Int(port), (1...65_535).contains(number) else { throw .badPort }
        return (String(host), number)
    }

    private static func database(_ text: Substring) throws(RedisURLError) -> Int {
        guard let number = Int(text), (0...1_000_000).contains(number) else { throw .badDatabase }
        return number
    }

    private static func decoded(_ text: Substring) throws(RedisURLError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.next(), let low = rest.next(), let high = Self.digit(high),
                let low = Self.digit(low)
            else { throw .badPercentEncoding }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw .badPercentEncoding }
        return decoded
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension RedisURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        switch place {
        case .unix(let path): return "unix://\(path)?db=\(database)"
        case .tcp(let host, let port):
            let login = password == nil ? "" : "\(user ?? ""):***@"
            let name = host.contains(":") ? "[\(host)]" : host
            return "\(usesTLS ? "rediss" : "redis")://\(login)\(name):\(port)/\(database)"
        }
    }

    package var debugDescription: String { description }

    /// `dump` and a debugger's view go through here: no password either.
    package var customMirror: Mirror { Mirror(self, children: ["url": description]) }
}

/// What is wrong with a Redis URL. Never repeats the URL: it may hold a password.
package enum RedisURLError: Error, Hashable, Sendable, CustomStringConvertible {
    case noScheme
    case unknownScheme(String)
    case noHost
    case noPassword
    case noSocketPath
    case badPort
    case badDatabase
    case badPercentEncoding
    case unknownOption

    package var description: String {
        switch self {
        case .noScheme: "a Redis URL begins with redis://, rediss:// or unix://"
        case .unknownScheme(let scheme):
            "\"\(scheme)\" is no scheme of a Redis URL; use redis://, rediss:// or unix://"
        case .noHost: "the Redis URL names no host: redis://host:6379/0"
        case .noPassword: "the Redis URL names a user but no password: redis://user:password@host"
        case .noSocketPath: "a unix Redis URL names an absolute path: unix:///run/redis.sock"
        case .badPort: "the Redis URL's port is no number from 1 to 65535"
        case .badDatabase: "the Redis URL's database is no number: redis://host:6379/0"
        case .badPercentEncoding: "the Redis URL's user or password is not correctly percent-encoded"
        case .unknownOption: "the Redis URL has an unknown option; only unix:///path?db=0 takes one"
        }
    }
}
