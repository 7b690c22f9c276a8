import BatonCore

/// The nodes' leases, and the clean-up after those that died.
///
/// `nodes` remembers each lease that was ever taken until its sessions are cleaned up: it names the leases to look at,
/// and those that are gone. A node is in it only once it holds its lease.
///
/// A node that finds its lease in the hands of a later start stops. So that nobody who can write to Redis can stop nodes, that
/// lease must be proven by the cluster's keys; one that is not gives way.
final class RedisNodeRegistry: NodeRegistry {
    private let commands: RedisCommands
    private let seal: ClusterSeal?
    private let observer: any RedisObserver

    init(commands: RedisCommands, seal: ClusterSeal?, observer: any RedisObserver) {
        self.commands = commands
        self.seal = seal
        self.observer = observer
    }

    func renewLease(_ lease: NodeLease, completion: @escaping (Bool?) -> Void) {
        commands.run(RenewLease(lease: lease, provenBy: seal)) { result in
            guard case .success(.heldByLater(let holder)) = result, !self.isBelieved(holder, lease.node) else {
                return self.renewed(lease, result, completion)
            }
            self.observer.unprovenMessage()
            let again = RenewLease(lease: lease, provenBy: self.seal, disbelieved: holder.digest)
            self.commands.run(again) { self.renewed(lease, $0, completion) }
        }
    }

    private func isBelieved(_ holder: RenewLease.Holder, _ node: NodeID) -> Bool {
        seal?.isProven(holder.text[...], at: Keys.node(node), byText: holder.proof[...]) ?? true
    }

    private func renewed(
        _ lease: NodeLease, _ result: Result<RenewLease.Outcome, RedisError>, _ completion: @escaping (Bool?) -> Void
    ) {
        switch result {
        case .failure: completion(nil)
        case .success(.heldByLater(let holder)): completion(isBelieved(holder, lease.node) ? false : nil)
        case .success(.held):
            let member = Keys.nodesMember(lease.node, incarnation: lease.incarnation)
            commands.send(RedisCommand("SADD", Keys.nodes, member), for: .leases, proves: true) { result in
                if case .success = result { completion(true) } else { completion(nil) }
            }
        }
    }

    func releaseLease(_ lease: NodeLease, completion: @escaping () -> Void) {
        // The entry in `nodes` stays: what sessions are left is the clean-up's.
        commands.run(ReleaseLease(lease: lease)) { _ in completion() }
    }

    func nodes(completion: @escaping ([NodeLease]?) -> Void) {
        leases { leases in
            completion(leases?.compactMap(\.lease).sorted { $0.node.name < $1.node.name })
        }
    }

    func removeSessionsOfDeadNodes(by node: NodeID, completion: @escaping (_ orphaned: [UserID]?) -> Void) {
        let lock = RedisCommand(
            "SET", Keys.cleanUpLock, node.name, "NX", "EX", "\(Keys.cleanUpLockSeconds)")
        commands.send(lock, for: .leases, proves: false) { result in
            guard case .success(.string) = result else { return completion(nil) }
            self.leases { leases in
                guard let leases else { return completion(nil) }
                let dead = leases.filter { $0.lease == nil }
                CleanUp(commands: self.commands, dead: dead.map { ($0.node, $0.incarnation) }) { orphaned in
                    self.commands.run(ReleaseLock(holder: node)) { _ in completion(orphaned) }
                }.next()
            }
        }
    }

    private struct Known {
        let node: NodeID
        let incarnation: UInt64
        /// nil where it ran out, or is another incarnation's.
        let lease: NodeLease?
    }

    private func leases(completion: @escaping ([Known]?) -> Void) {
        commands.send(RedisCommand("SMEMBERS", Keys.nodes), for: .leases, proves: false) { result in
            guard case .success(.array(let members)) = result else { return completion(nil) }
            let known = members.compactMap { $0.bytes.flatMap(Keys.lease(ofNodesMember:)) }
            self.commands.forEach(known) { member, done in
                self.commands.send(
                    RedisCommand("HGETALL", Keys.node(member.node)), for: .leases, proves: false, completion: done)
            } completion: { done, failure in
                guard failure == nil else { return completion(nil) }
                completion(
                    done.map { member, reply in
                        let lease = NodeLease(node: member.node, reply: reply)
                        return Known(
                            node: member.node, incarnation: member.incarnation,
                            lease: lease?.incarnation == member.incarnation ? lease : nil)
                    })
            }
        }
    }
}

@available(*, unavailable)
extension RedisNodeRegistry: Sendable {}

extension NodeLease {
    /// From the fields and values of HGETALL; nil where the lease is gone.
    init?(node: NodeID, reply: RedisValue) {
        guard let parts = reply.array, parts.count.isMultiple(of: 2) else { return nil }
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: parts.count, by: 2) {
            if let name = parts[index].text, let value = parts[index + 1].text { fields[name] = value }
        }
        guard let incarnation = fields["incarnation"].flatMap(UInt64.init), let address = fields["address"],
            let state = fields["state"].flatMap(State.init(rawValue:)),
            let connections = fields["connections"].flatMap(Int.init),
            let since = fields["since"].flatMap({ Timestamp(text: $0.utf8) })
        else { return nil }
        self.init(
            node: node, incarnation: incarnation, address: address, state: state, connections: connections,
            since: since)
    }
}
