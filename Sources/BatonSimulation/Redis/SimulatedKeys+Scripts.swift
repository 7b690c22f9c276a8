import BatonCore
import BatonRedis

/// The relay's scripts, line by line what `Scripts/*.lua` say.
extension SimulatedKeys {
    func run(_ script: ScriptFile, keys: [String], _ arguments: [String]) -> RedisReply {
        switch script {
        case .writeSession: .integer(writeSession(keys[0], arguments))
        case .removeSession: removeSession(keys[0], arguments)
        case .removeDeadSessions: .integer(removeDeadSessions(keys[0], owner: arguments[0]))
        case .leavePresence: .integer(leavePresence(keys, now: arguments[0]))
        case .renewLease: renewLease(keys[0], arguments)
        case .releaseLease: .integer(releaseLease(keys[0], incarnation: arguments[0]))
        case .releaseLock:
            .integer(string(keys[0]) == Array(arguments[0].utf8) && delete(keys[0]) ? 1 : 0)
        case .takeTokens: takeTokens(keys[0], arguments.compactMap(Double.init))
        }
    }

    private func writeSession(_ key: String, _ arguments: [String]) -> Int {
        let (field, value, generation) = (arguments[0], arguments[1], arguments[2])
        let ttl = Int(arguments[3]) ?? 0
        var fields = hash(key).filter { _, session in
            let renewed = Self.word("renewed=", in: String(decoding: session, as: UTF8.self)).flatMap { Int($0) }
            return renewed.map { seconds - $0 <= ttl } ?? true
        }
        var outcome = 0
        if let current = fields[field].map({ Self.session(String(decoding: $0, as: UTF8.self)) }) {
            if current == value {
                outcome = 1
            } else {
                if let held = Self.word("generation=", in: current), !(Array(generation.utf8) > held) {
                    change(key, to: .hash(fields))
                    return 3
                }
                outcome = 2
                onReplacedSession(key, current, value)
            }
        }
        fields[field] = Array("\(value) renewed=\(seconds)".utf8)
        change(key, to: .hash(fields))
        expire(key, seconds: ttl)
        return outcome
    }

    /// What stands before the time of its writing.
    private static func session(_ text: String) -> String {
        text.firstRange(of: " renewed=").map { String(text[..<$0.lowerBound]) } ?? text
    }

    private func removeSession(_ key: String, _ arguments: [String]) -> RedisReply {
        var fields = hash(key)
        let current = fields[arguments[0]].map { Self.session(String(decoding: $0, as: UTF8.self)) }
        var isHeld = false
        if current == arguments[1] {
            fields[arguments[0]] = nil
            change(key, to: .hash(fields))
            onRemovedSession(key, arguments[0], arguments[1])
        } else if let current, current.hasPrefix(arguments[2]) {
            isHeld = true
        }
        return .array([.integer(fields.count), .integer(isHeld ? 1 : 0)])
    }

    private func removeDeadSessions(_ key: String, owner: String) -> Int {
        let alive = hash(key).filter { !$0.value.starts(with: owner.utf8) }
        change(key, to: .hash(alive))
        return alive.count
    }

    private func leavePresence(_ keys: [String], now: String) -> Int {
        if exists(keys[0]) { return 0 }
        if delete(keys[1]) || !exists(keys[2]) { write(keys[2], .string(Array(now.utf8))) }
        return 1
    }

    private func renewLease(_ key: String, _ arguments: [String]) -> RedisReply {
        let fields = hash(key)
        let holder = fields["incarnation"].flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }
        // An incarnation is its own digest here.
        if let holder, let own = UInt64(arguments[0]), holder > own, "\(holder)" != arguments[7] {
            let rest = ["address", "proof"].map { fields[$0].map(RedisReply.bulk) ?? .null }
            return .array([.text("\(holder)")] + rest + [.text("\(holder)")])
        }
        let names = ["incarnation", "address", "state", "connections", "since", "proof"]
        let values = [arguments[0]] + arguments[2...6]
        let pairs = zip(names, values).map { ($0, Array($1.utf8)) }
        change(key, to: .hash(Dictionary(uniqueKeysWithValues: pairs)))
        expire(key, seconds: Int(arguments[1]) ?? 0)
        return .integer(1)
    }

    private func releaseLease(_ key: String, incarnation: String) -> Int {
        guard hash(key)["incarnation"] == Array(incarnation.utf8) else { return 0 }
        return delete(key) ? 1 : 0
    }

    private func takeTokens(_ key: String, _ arguments: [Double]) -> RedisReply {
        var state: (tokens: Double, atMilliseconds: Double)?
        if let bucket = string(key).map({ String(decoding: $0, as: UTF8.self) }),
            let kept = Self.word("tokens=", in: bucket).flatMap(Double.init),
            let since = Self.word("at=", in: bucket).flatMap(Double.init)
        {
            state = (kept, since)
        }
        var bucket = TokenBucket(
            capacity: arguments[0], millisecondsPerToken: arguments[1], debt: arguments[5], state: state)
        let draw = TokenAccount.Draw(
            spent: Int(arguments[4]), wanted: Int(arguments[2]), least: Int(arguments[3]))
        let taken = bucket.draw(draw, atMilliseconds: milliseconds)
        write(key, .string(Array("tokens=\(bucket.tokens) at=\(milliseconds)".utf8)))
        return .array([.integer(taken.count), .integer(Int(taken.waitMilliseconds))])
    }

    /// The word behind a name, as `string.match(text, 'name=(%S+)')`.
    static func word(_ name: String, in text: String) -> String? {
        text.split(separator: " ").first { $0.hasPrefix(name) }.map { String($0.dropFirst(name.count)) }
    }
}

/// Bytewise, as the script compares.
private func > (left: [UInt8], right: String) -> Bool { right.utf8.lexicographicallyPrecedes(left) }
