import BatonRedis
import NIOCore

/// The keys of the simulated Redis, and the commands and scripts that the relay uses. Lists come sorted, so that no
/// order of a hash table is seen.
final class SimulatedKeys {
    enum Value {
        case string([UInt8])
        case hash([String: [UInt8]])
        case set(Set<String>)
    }

    private struct Entry {
        var value: Value
        var ends: NIODeadline?
    }

    var onRemovedSession: (_ key: String, _ device: String, _ text: String) -> Void = { _, _, _ in }
    var onReplacedSession: (_ key: String, _ before: String, _ after: String) -> Void = { _, _, _ in }
    private let world: SimulatedWorld
    private var entries: [String: Entry] = [:]

    init(_ world: SimulatedWorld) { self.world = world }

    func empty() { entries = [:] }

    /// Its clock.
    var seconds: Int { Int(world.now / 1_000_000_000) }

    static func isWrite(_ command: String) -> Bool {
        ["SET", "HDEL", "SADD", "SREM", "EXPIRE", "EVALSHA", "EVAL"].contains(command)
    }

    /// Redis' own clock.
    var milliseconds: Double { Double(world.eventLoop.now.uptimeNanoseconds / 1_000_000) }

    // MARK: Values

    func exists(_ key: String) -> Bool { entry(key) != nil }

    func string(_ key: String) -> [UInt8]? {
        if case .string(let bytes) = entry(key)?.value { bytes } else { nil }
    }

    func hash(_ key: String) -> [String: [UInt8]] {
        if case .hash(let fields) = entry(key)?.value { fields } else { [:] }
    }

    func set(_ key: String) -> Set<String> {
        if case .set(let members) = entry(key)?.value { members } else { [] }
    }

    func write(_ key: String, _ value: Value, seconds: Int? = nil) {
        entries[key] = Entry(value: value, ends: seconds.map { world.eventLoop.now + .seconds(Int64($0)) })
    }

    /// Another value, the same TTL; an empty one is none.
    func change(_ key: String, to value: Value) {
        let isEmpty =
            switch value {
            case .string: false
            case .hash(let fields): fields.isEmpty
            case .set(let members): members.isEmpty
            }
        entries[key] = isEmpty ? nil : Entry(value: value, ends: entry(key)?.ends)
    }

    func expire(_ key: String, seconds: Int) {
        guard entry(key) != nil else { return }
        entries[key]?.ends = world.eventLoop.now + .seconds(Int64(seconds))
    }

    @discardableResult
    func delete(_ key: String) -> Bool {
        let wasThere = entry(key) != nil
        entries[key] = nil
        return wasThere
    }

    private func entry(_ key: String) -> Entry? {
        guard let entry = entries[key] else { return nil }
        if let ends = entry.ends, ends <= world.eventLoop.now {
            entries[key] = nil
            return nil
        }
        return entry
    }

    // MARK: Commands

    func carryOut(_ words: [String], _ command: [[UInt8]]) -> RedisReply {
        switch words[0] {
        case "PING": return .simple("PONG")
        case "CLIENT": return .simple("OK")
        case "SCRIPT": return .text(Self.name(of: command[2]))
        case "EVALSHA": return run(words[1], words)
        case "EVAL": return run(Self.name(of: command[1]), words)
        case "SET": return set(words, command)
        case "MGET": return .array(words.dropFirst().map { string($0).map(RedisReply.bulk) ?? .null })
        case "HGET": return hash(words[1])[words[2]].map(RedisReply.bulk) ?? .null
        case "HGETALL":
            let fields = hash(words[1]).sorted { $0.key < $1.key }
            return .array(fields.flatMap { [.text($0.key), .bulk($0.value)] })
        case "SADD":
            let before = set(words[1])
            change(words[1], to: .set(before.union(words[2...])))
            return .integer(set(words[1]).count - before.count)
        case "SREM":
            let before = set(words[1])
            change(words[1], to: .set(before.subtracting(words[2...])))
            return .integer(before.count - set(words[1]).count)
        case "SMEMBERS": return .array(set(words[1]).sorted().map { .text($0) })
        case "SRANDMEMBER":
            return .array(set(words[1]).sorted().prefix(Int(words[2]) ?? 1).map { .text($0) })
        case "HDEL":
            var fields = hash(words[1])
            guard let removed = fields.removeValue(forKey: words[2]) else { return .integer(0) }
            change(words[1], to: .hash(fields))
            onRemovedSession(words[1], words[2], String(decoding: removed, as: UTF8.self))
            return .integer(1)
        case "EXPIRE":
            expire(words[1], seconds: Int(words[2]) ?? 0)
            return .integer(exists(words[1]) ? 1 : 0)
        // The relay learned a new command: it must be taught here too, or schedules would test what no Redis does.
        default: preconditionFailure("the simulated Redis does not know \(words[0])")
        }
    }

    private func set(_ words: [String], _ command: [[UInt8]]) -> RedisReply {
        var seconds: Int?
        var index = 3
        while index < words.count {
            if words[index] == "EX" { seconds = Int(words[index + 1]) }
            index += words[index] == "EX" ? 2 : 1
        }
        let before = string(words[1])
        if words.contains("NX"), before != nil { return .null }
        write(words[1], .string(command[2]), seconds: seconds)
        if words.contains("GET") { return before.map(RedisReply.bulk) ?? .null }
        return .simple("OK")
    }

    /// A script's name stands for its hash.
    private static func name(of text: [UInt8]) -> String {
        ScriptFile.allCases.first { $0.source == text }.map { "\($0)" } ?? "unknown"
    }

    private func run(_ name: String, _ words: [String]) -> RedisReply {
        guard let script = ScriptFile.allCases.first(where: { "\($0)" == name }), words.count > 2,
            let keyCount = Int(words[2])
        else { return .error("NOSCRIPT No matching script.") }
        return run(script, keys: Array(words[3..<3 + keyCount]), Array(words[(3 + keyCount)...]))
    }
}

@available(*, unavailable) extension SimulatedKeys: Sendable {}
