/// Where a relay listens: scheme, host and port. REST and WebSocket share them.
public struct RelayAddress: Hashable, Sendable {
    public let host: String
    public let port: Int
    public let usesTLS: Bool

    public init(host: String, port: Int, usesTLS: Bool = false) {
        self.host = host
        self.port = port
        self.usesTLS = usesTLS
    }
}

extension RelayAddress: LosslessStringConvertible {
    /// From `http://host:port`, `https://`, `ws://`, `wss://` or a bare `host:port`, which is taken as `http`.
    ///
    /// - Returns: nil for anything else, also for a path: all paths are the protocol's.
    public init?(_ text: String) {
        var rest = Substring(text)
        var usesTLS = false
        if let separator = text.firstRange(of: "://") {
            switch text[..<separator.lowerBound].lowercased() {
            case "http", "ws": break
            case "https", "wss": usesTLS = true
            default: return nil
            }
            rest = text[separator.upperBound...]
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let (host, port) = Self.split(rest) else { return nil }
        let isAllowed = host.utf8.allSatisfy { byte in
            byte > 0x20 && byte < 0x7f && !Self.reserved.contains(byte)
        }
        guard !host.isEmpty, isAllowed else { return nil }
        self.init(host: String(host), port: port ?? (usesTLS ? 443 : 80), usesTLS: usesTLS)
    }

    public var description: String { "\(usesTLS ? "https" : "http")://\(authority)" }

    /// `host:port`, with the brackets that an IPv6 address needs.
    package var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Characters that cannot be of a host and would change the meaning of a request's head.
    private static let reserved = Set("/?#@\\<>\"[]".utf8)

    /// - Returns: nil where the port is no port.
    private static func split(_ text: Substring) -> (host: Substring, port: Int?)? {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let after = text[text.index(after: end)...]
            let host = text[text.index(after: text.startIndex)..<end]
            if after.isEmpty { return (host, nil) }
            guard after.hasPrefix(":"), let port = port(after.dropFirst()) else { return nil }
            return (host, port)
        }
        guard let colon = text.firstIndex(of: ":") else { return (text, nil) }
        guard let port = port(text[text.index(after: colon)...]) else { return nil }
        return (text[..<colon], port)
    }

    private static func port(_ text: Substring) -> Int? {
        guard let port = Int(text), (1...65_535).contains(port) else { return nil }
        return port
    }
}
