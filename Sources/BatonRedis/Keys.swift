package import BatonCore

/// Every name in Redis: the only file that knows them. With Redis Cluster the part in braces chooses the slot, so that all of a
/// user's keys and channels live together and a script may touch them at once.
///
/// | name | type | TTL | slot | holds |
/// |---|---|---|---|---|
/// | `node:<node>` | hash | 15 s | the node's | the lease: address, incarnation, state, connections, since, proof |
/// | `nodes` | set | none | one | `<node>.<incarnation>` of each lease taken and not yet cleaned up after |
/// | `sessions:{<node>.<incarnation>}` | set | 1 h | the node's | `<user>.<device>` of the sessions a node wrote |
/// | `lock:clean-up` | string | 10 s | one | the node that removes the sessions of dead nodes |
/// | `session:{<user>}` | hash | 75 s | the user's | a field a device: `node=… incarnation=… generation=… since=… client=… renewed=…` |
/// | `presence:{<user>}` | string | 60 s | the user's | time of the last heartbeat; there = online |
/// | `lastseen:{<user>}` | string | none | the user's | time of the last heartbeat |
/// | `user:{<user>}` | channel | | the user's | hints for the user's connections; `displaced`, `revoked` |
/// | `watch:{<user>}` | channel | | the user's | `presence` changes for those who look at this user |
/// | `user:{probe.<node>.<loop>}` | channel | | its own | an event loop's own probes, beside those of users: is anything heard at all? |
/// | `limit:{<who>}:<what>` | string | until full | the limited one's | a token bucket: `tokens=… at=…`, below zero: owed |
///
/// `nodes` and `sessions:{…}` are indexes: without them finding a dead node's sessions would mean to scan every key
/// there is, `lastseen` of all users ever included. A session's hash keeps Redis' compact encoding (listpack) where
/// `hash-max-listpack-value` is at least 192; with Redis' default of 64 it takes some 200 bytes more.
package enum Keys {
    /// Redis takes a `sessions:` index away when its node has not renewed it for so long.
    static let sessionIndexSeconds = 3_600
    static let nodes = "nodes"
    static let cleanUpLock = "lock:clean-up"
    static let cleanUpLockSeconds = 10

    package static func node(_ node: NodeID) -> String { "node:\(node)" }
    package static func sessions(_ node: NodeID, incarnation: UInt64) -> String { "sessions:{\(node).\(incarnation)}" }
    package static func session(_ user: UserID) -> String { "session:{\(user)}" }
    package static func presence(_ user: UserID) -> String { "presence:{\(user)}" }
    package static func lastSeen(_ user: UserID) -> String { "lastseen:{\(user)}" }
    package static func probe(_ node: NodeID, loop: Int) -> String { "user:{probe.\(node).\(loop)}" }

    package static func channel(_ channel: BusChannel) -> String {
        switch channel {
        case .user(let user): "user:{\(user)}"
        case .watch(let user): "watch:{\(user)}"
        }
    }

    /// - Returns: nil for anything that is no channel of the bus.
    static func channel(named name: [UInt8]) -> BusChannel? {
        if let user = user(in: name, behind: userPrefix) { return .user(user) }
        if let user = user(in: name, behind: watchPrefix) { return .watch(user) }
        return nil
    }

    private static let userPrefix = Array("user:{".utf8)
    private static let watchPrefix = Array("watch:{".utf8)

    private static func user(in name: [UInt8], behind prefix: [UInt8]) -> UserID? {
        guard name.count == prefix.count + Base32.length + 1, name.last == UInt8(ascii: "}"),
            name.starts(with: prefix)
        else { return nil }
        return Base32.decode(name[prefix.count..<(name.count - 1)]).map(UserID.init(rawValue:))
    }

    static func sessionMember(_ user: UserID, _ device: DeviceID) -> String { "\(user).\(device)" }

    /// - Returns: nil for anything that is no member of a `sessions:` index.
    static func user(ofSessionMember member: [UInt8]) -> UserID? {
        guard member.count == 2 * Base32.length + 1, member[Base32.length] == UInt8(ascii: ".") else { return nil }
        return Base32.decode(member.prefix(Base32.length)).map(UserID.init(rawValue:))
    }

    static func nodesMember(_ node: NodeID, incarnation: UInt64) -> String { "\(node).\(incarnation)" }

    /// - Returns: nil for anything that is no member of `nodes`.
    static func lease(ofNodesMember member: [UInt8]) -> (node: NodeID, incarnation: UInt64)? {
        let parts = String(decoding: member, as: UTF8.self).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let node = NodeID(String(parts[0])), let incarnation = UInt64(parts[1]) else {
            return nil
        }
        return (node, incarnation)
    }
}

extension Keys {
    /// Bytes of the part that says who is limited; it comes from outside.
    static let limitedBytes = 96

    package static func limit(_ bucket: RateLimitBucket) -> String {
        "limit:{\(word(bucket.who))}:\(word(bucket.what))"
    }

    /// A text from outside as part of a key: what could be mistaken for another key is percent-encoded, what is too long
    /// is cut and told apart by a hash.
    private static func word(_ text: String) -> String {
        var word = ""
        for byte in text.utf8 {
            guard word.utf8.count < limitedBytes else { return "\(word)~\(Base32.encode(FNV1a.hash(text.utf8)))" }
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: "@"), UInt8(ascii: "+"):
                word.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                word += "%" + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            }
        }
        return word
    }
}
