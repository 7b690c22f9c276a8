import BatonCore

/// Sessions in Redis: a hash a user, and an index a node, without which a dead node's sessions could not be found.
///
/// The index is written before the session, and gives a device back after it, so that it never lacks a session that is
/// there; the clean-up compares what it finds.
final class RedisSessionRegistry: SessionRegistry {
    private let commands: RedisCommands
    /// Removals that Redis was not there for. Left alone, such a session would live for as long as another device of
    /// the user renews the hash.
    private(set) var unremoved: Set<Session> = []
    #if DEBUG
        var plantedBug: PlantedBug?
    #endif

    init(commands: RedisCommands) {
        self.commands = commands
    }

    func write(_ sessions: [Session], completion: @escaping ([Session: SessionWriting]) -> Void) {
        let forgotten = unremoved
        unremoved = []
        for session in forgotten { remove(session) { _ in } }

        for start in stride(from: 0, to: sessions.count, by: Limits.Redis.batchItems) {
            index(sessions[start..<min(start + Limits.Redis.batchItems, sessions.count)])
        }
        commands.forEach(sessions) { session, done in
            self.commands.run(self.script(writing: session), completion: done)
        } completion: { done, _ in
            completion(Dictionary(done.map { ($0.item, $0.value) }) { first, _ in first })
        }
    }

    private func script(writing session: Session) -> WriteSession {
        #if DEBUG
            if plantedBug == .overwriteNewerSession {
                var script = WriteSession(session: session)
                script.generation = ConnectionGeneration(rawValue: .max)
                return script
            }
        #endif
        return WriteSession(session: session)
    }

    func remove(_ session: Session, completion: @escaping (_ remaining: Int?) -> Void) {
        #if DEBUG
            if plantedBug == .deleteOthersSession {
                commands.send(
                    RedisCommand("HDEL", Keys.session(session.user), "\(session.device)"), for: .sessions, proves: false
                )
            }
        #endif
        commands.run(RemoveSession(session: session)) { result in
            switch result {
            case .success(let outcome):
                if !outcome.isHeldHere, outcome.remaining > 0 { self.unindex(session) }
                completion(outcome.remaining)
            case .failure:
                if self.unremoved.count < Limits.Redis.rememberedRemovals { self.unremoved.insert(session) }
                completion(nil)
            }
        }
    }

    func forget(_ session: Session) {
        commands.run(RemoveSession(session: session)) { result in
            // What is left in the index costs the clean-up a look.
            if case .success(let outcome) = result, !outcome.isHeldHere { self.unindex(session) }
        }
    }

    /// All of one node and incarnation, as all sessions of an event loop are.
    private func index(_ sessions: some Collection<Session>) {
        guard let first = sessions.first else { return }
        let key = Keys.sessions(first.node, incarnation: first.incarnation)
        var command = RedisCommand("SADD", key)
        for session in sessions { command.append(Keys.sessionMember(session.user, session.device)) }
        // Without an index the session still ends by its TTL, only later than by the clean-up.
        commands.send(command, for: .sessions, proves: false)
        commands.send(
            RedisCommand("EXPIRE", key, "\(Keys.sessionIndexSeconds)"), for: .sessions, proves: false)
    }

    private func unindex(_ session: Session) {
        let key = Keys.sessions(session.node, incarnation: session.incarnation)
        let member = Keys.sessionMember(session.user, session.device)
        commands.send(RedisCommand("SREM", key, member), for: .sessions, proves: false)
    }
}

@available(*, unavailable)
extension RedisSessionRegistry: Sendable {}
