/// What of an HAProxy configuration matters to connections that live long: the timeouts of each of its proxies, and
/// where they were set.
struct HAProxyConfiguration: Sendable {
    /// A timeout and its line.
    struct Timeout: Hashable, Sendable {
        let milliseconds: Int64
        let line: Int
    }

    enum Side: Hashable, Sendable { case frontend, backend, both }

    struct Proxy: Hashable, Sendable {
        let name: String
        let side: Side
        var client: Timeout?
        var server: Timeout?
        var tunnel: Timeout?
    }

    private(set) var proxies: [Proxy] = []
    /// Whether servers are asked for `/health/ready`.
    private(set) var asksReadiness = false

    /// Sections whose settings are no proxy's.
    private static let others: Set<Substring> = [
        "global", "userlist", "peers", "mailers", "resolvers", "cache", "program", "http-errors", "ring", "log-forward",
        "fcgi-app", "crt-store", "traces", "log-profile",
    ]

    init(_ text: String) {
        var defaults = Proxy(name: "defaults", side: .both)
        var current: Proxy?
        var isInDefaults = false
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
            guard let first = words.first else { continue }
            if line.contains("/health/ready"), line.prefix(while: { $0 != "#" }).contains("/health/ready") {
                asksReadiness = true
            }
            if let side = Self.side(first) {
                if let current { proxies.append(current) }
                current = Proxy(
                    name: words.count > 1 ? String(words[1]) : String(first), side: side, client: defaults.client,
                    server: defaults.server, tunnel: defaults.tunnel)
                isInDefaults = false
            } else if first == "defaults" || Self.others.contains(first) {
                if let finished = current { proxies.append(finished) }
                current = nil
                isInDefaults = first == "defaults"
                // Each section of defaults begins anew.
                if isInDefaults { defaults = Proxy(name: "defaults", side: .both) }
            } else if first == "timeout", words.count >= 3, let time = Self.milliseconds(words[2]) {
                let timeout = Timeout(milliseconds: time, line: number + 1)
                if isInDefaults { Self.set(words[1], timeout, &defaults) }
                if var proxy = current {
                    Self.set(words[1], timeout, &proxy)
                    current = proxy
                }
            }
        }
        if let current { proxies.append(current) }
    }

    private static func side(_ word: Substring) -> Side? {
        switch word {
        case "frontend": .frontend
        case "backend": .backend
        case "listen": .both
        default: nil
        }
    }

    private static func set(_ name: Substring, _ timeout: Timeout, _ proxy: inout Proxy) {
        switch name {
        case "client": proxy.client = timeout
        case "server": proxy.server = timeout
        case "tunnel": proxy.tunnel = timeout
        default: break
        }
    }

    /// A time with its unit; without one it is in milliseconds.
    static func milliseconds(_ text: Substring) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits) else { return nil }
        let unit: Int64
        switch text.dropFirst(digits.count) {
        case "us": return number / 1_000
        case "", "ms": unit = 1
        case "s": unit = 1_000
        case "m": unit = 60_000
        case "h": unit = 3_600_000
        case "d": unit = 86_400_000
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? .max : product
    }
}
