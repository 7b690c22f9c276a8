import BatonCore

/// Presence as keys with a TTL. A heartbeat needs no script: `SET ... EX ... GET` refreshes and says in one command
/// whether the user was online before.
final class RedisPresenceRegistry: PresenceRegistry {
    private let commands: RedisCommands

    init(commands: RedisCommands) {
        self.commands = commands
    }

    func heartbeat(_ users: [UserID], at now: Timestamp, completion: @escaping (_ cameOnline: [UserID]?) -> Void) {
        let time = now.text
        let ttl = "\(Limits.Presence.ttlSeconds)"
        commands.forEach(users) { user, done in
            self.commands.send(RedisCommand("SET", Keys.lastSeen(user), time), for: .presence, proves: false)
            self.commands.send(
                RedisCommand("SET", Keys.presence(user), time, "EX", ttl, "GET"), for: .presence, proves: true,
                completion: done)
        } completion: { done, failure in
            completion(failure == nil ? done.filter { $0.value == RedisValue.null }.map(\.item) : nil)
        }
    }

    func leave(_ users: [UserID], at now: Timestamp, completion: @escaping (_ wentOffline: [UserID]?) -> Void) {
        commands.forEach(users) { user, done in
            self.commands.run(LeavePresence(user: user, now: now), completion: done)
        } completion: { done, failure in
            completion(failure == nil ? done.filter(\.value).map(\.item) : nil)
        }
    }

    func presence(of users: [UserID], completion: @escaping ([UserID: Presence]?) -> Void) {
        commands.forEach(users) { user, done in
            self.commands.send(
                RedisCommand("MGET", Keys.presence(user), Keys.lastSeen(user)), for: .presence, proves: false,
                completion: done)
        } completion: { done, failure in
            guard failure == nil else { return completion(nil) }
            completion(Dictionary(done.map { ($0.item, Self.presence($0.value)) }) { first, _ in first })
        }
    }

    private static func presence(_ reply: RedisValue) -> Presence {
        guard let parts = reply.array, parts.count == 2 else { return .offline(lastSeen: nil) }
        if case .string = parts[0] { return .online }
        return .offline(lastSeen: parts[1].bytes.flatMap { Timestamp(text: $0) })
    }
}

@available(*, unavailable)
extension RedisPresenceRegistry: Sendable {}
