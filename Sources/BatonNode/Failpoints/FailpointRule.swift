import BatonCore

/// One item of `failpoints`: `committed=kill@1/200`, `published=pause:500@100`, `seed=7`.
enum FailpointRule: Hashable, Sendable {
    case act(Failpoint, Action, Turn)
    /// Makes the chances of a run repeatable.
    case seed(UInt64)

    enum Action: Hashable, Sendable {
        /// SIGKILL to the own process.
        case kill
        /// The event loop stands still.
        case pause(milliseconds: Int)
    }

    /// At which passes something happens.
    enum Turn: Hashable, Sendable {
        /// `@200`: at each 200th. Nothing said: at each.
        case every(Int)
        /// `@1/200`: at each with a chance of one in 200.
        case chance(Int)
    }

    static let allowed =
        "<point>=kill or pause:<milliseconds>, then @<n> (each n-th pass) or @1/<n> (a chance); seed=<n>"
    static let pauses = 1...60_000
    static let turns = 1...1_000_000_000

    init(checking text: String) throws(ConfigurationValueError) {
        guard let equals = text.firstIndex(of: "=") else { throw ConfigurationValueError("'\(text)' has no =") }
        let (name, rest) = (text[..<equals], text[text.index(after: equals)...])
        if name == "seed" {
            guard let seed = UInt64(rest) else { throw ConfigurationValueError("'\(rest)' is no seed") }
            self = .seed(seed)
            return
        }
        guard let point = Failpoint(rawValue: String(name)) else {
            throw ConfigurationValueError("'\(name)' is none of \(Failpoint.list), seed")
        }
        let parts = rest.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        self = .act(point, try Self.action(parts[0]), try Self.turn(parts.count > 1 ? parts[1] : "1"))
    }

    private static func action(_ text: Substring) throws(ConfigurationValueError) -> Action {
        if text == "kill" { return .kill }
        guard text.hasPrefix("pause:"), let milliseconds = Int(text.dropFirst("pause:".count)),
            pauses.contains(milliseconds)
        else { throw ConfigurationValueError("'\(text)' is neither kill nor pause:1 to pause:\(pauses.upperBound)") }
        return .pause(milliseconds: milliseconds)
    }

    private static func turn(_ text: Substring) throws(ConfigurationValueError) -> Turn {
        let isChance = text.hasPrefix("1/")
        guard let number = Int(isChance ? text.dropFirst(2) : text), turns.contains(number) else {
            throw ConfigurationValueError("'@\(text)' is neither @n nor @1/n")
        }
        return isChance ? .chance(number) : .every(number)
    }
}

extension Failpoint {
    /// All names, for people.
    static let list = allCases.map(\.rawValue).joined(separator: ", ")
}
