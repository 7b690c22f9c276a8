import BatonCore

/// Removes the sessions of dead nodes, a page of a node's index after another, up to a bound a call.
///
/// A page is taken out of the index only after its sessions are removed: where this node dies in between, the next one
/// finds the page again. What is left over the bound waits for the next call.
final class CleanUp {
    private let commands: RedisCommands
    private var dead: [(node: NodeID, incarnation: UInt64)]
    private let completion: ([UserID]) -> Void
    private var orphaned: Set<UserID> = []
    private var rest = Limits.Redis.cleanUpSessions

    init(
        commands: RedisCommands, dead: [(node: NodeID, incarnation: UInt64)],
        completion: @escaping ([UserID]) -> Void
    ) {
        self.commands = commands
        self.dead = dead
        self.completion = completion
    }

    func next() {
        guard let (node, incarnation) = dead.last, rest > 0 else {
            completion(orphaned.sorted())
            return
        }
        let index = Keys.sessions(node, incarnation: incarnation)
        let count = min(rest, Limits.Redis.batchItems)
        commands.send(RedisCommand("SRANDMEMBER", index, "\(count)"), for: .leases, proves: false) { result in
            guard case .success(.array(let members)) = result else { return self.end() }
            guard !members.isEmpty else { return self.forget(node, incarnation) }
            self.rest -= members.count
            self.remove(members.compactMap(\.bytes), of: node, incarnation)
        }
    }

    private func remove(_ members: [[UInt8]], of node: NodeID, _ incarnation: UInt64) {
        let users = Set(members.compactMap(Keys.user(ofSessionMember:)))
        commands.forEach(Array(users)) { user, done in
            let script = RemoveDeadSessions(user: user, node: node, incarnation: incarnation)
            self.commands.run(script, completion: done)
        } completion: { done, failure in
            for (user, remaining) in done where remaining == 0 { self.orphaned.insert(user) }
            guard failure == nil else { return self.end() }
            var command = RedisCommand("SREM", Keys.sessions(node, incarnation: incarnation))
            for member in members { command.append(member) }
            self.commands.send(command, for: .leases, proves: false) { result in
                if case .success = result { self.next() } else { self.end() }
            }
        }
    }

    private func forget(_ node: NodeID, _ incarnation: UInt64) {
        dead.removeLast()
        let member = Keys.nodesMember(node, incarnation: incarnation)
        commands.send(RedisCommand("SREM", Keys.nodes, member), for: .leases, proves: false) { _ in self.next() }
    }

    /// Redis went away; who was found orphaned until then must still be announced.
    private func end() {
        dead = []
        next()
    }
}
