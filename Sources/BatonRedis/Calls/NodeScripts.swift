import BatonCore

/// `renew_lease.lua`: takes or renews a node's lease.
struct RenewLease: RedisScript {
    static let file = ScriptFile.renewLease
    let lease: NodeLease

    var keys: [String] { [Keys.node(lease.node)] }

    var arguments: [String] {
        [
            "\(lease.incarnation)", "\(Limits.Node.leaseSeconds)", lease.address, lease.state.rawValue,
            "\(lease.connections)", lease.since.text,
        ]
    }

    func outcome(of reply: RedisValue) -> Bool? { reply.integer.map { $0 == 1 } }
}

/// `release_lease.lua`: gives a node's lease up.
struct ReleaseLease: RedisScript {
    static let file = ScriptFile.releaseLease
    let lease: NodeLease

    var keys: [String] { [Keys.node(lease.node)] }
    var arguments: [String] { ["\(lease.incarnation)"] }

    func outcome(of reply: RedisValue) -> Bool? { reply.integer.map { $0 == 1 } }
}

/// `release_lock.lua`: gives the clean-up's lock up.
struct ReleaseLock: RedisScript {
    static let file = ScriptFile.releaseLock
    let holder: NodeID

    var keys: [String] { [Keys.cleanUpLock] }
    var arguments: [String] { [holder.name] }

    func outcome(of reply: RedisValue) -> Bool? { reply.integer.map { $0 == 1 } }
}
