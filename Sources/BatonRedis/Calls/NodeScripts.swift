import BatonCore

/// `renew_lease.lua`: takes or renews a node's lease.
struct RenewLease: RedisScript {
    static let file = ScriptFile.renewLease
    static let function = RedisFunction.leases
    static let proves = true
    let lease: NodeLease
    /// By this others know that a node of the cluster wrote it; empty where there are no keys.
    var proof = ""
    /// A holder that is not believed, and gives way: its `digest`.
    var disbelieved = ""

    enum Outcome {
        case held
        case heldByLater(Holder)
    }

    /// What a lease says that is another's.
    struct Holder {
        /// Of its incarnation.
        let digest: String
        /// What its proof is of.
        let text: [UInt8]
        let proof: [UInt8]
    }

    var keys: [String] { [Keys.node(lease.node)] }

    var arguments: [String] {
        [
            "\(lease.incarnation)", "\(Limits.Node.leaseSeconds)", lease.address, lease.state.rawValue,
            "\(lease.connections)", lease.since.text, proof, disbelieved,
        ]
    }

    func outcome(of reply: RedisValue) -> Outcome? {
        if reply.integer == 1 { return .held }
        guard let parts = reply.array, parts.count == 4, let digest = parts[3].text else { return nil }
        let text = Self.provenText(parts[0].bytes ?? [], address: parts[1].bytes ?? [])
        return .heldByLater(Holder(digest: digest, text: text, proof: parts[2].bytes ?? []))
    }

    /// A lease's proof is of what does not change with a renewal.
    static func provenText(_ incarnation: [UInt8], address: [UInt8]) -> [UInt8] {
        incarnation + [UInt8(ascii: " ")] + address
    }

    /// The lease with its proof.
    init(lease: NodeLease, provenBy seal: ClusterSeal? = nil, disbelieved: String = "") {
        self.lease = lease
        self.disbelieved = disbelieved
        let text = Self.provenText(Array("\(lease.incarnation)".utf8), address: Array(lease.address.utf8))
        proof = seal?.proofText(of: String(decoding: text, as: UTF8.self), at: Keys.node(lease.node)) ?? ""
    }
}

/// `release_lease.lua`: gives a node's lease up.
struct ReleaseLease: RedisScript {
    static let file = ScriptFile.releaseLease
    static let function = RedisFunction.leases
    static let proves = false
    let lease: NodeLease

    var keys: [String] { [Keys.node(lease.node)] }
    var arguments: [String] { ["\(lease.incarnation)"] }

    func outcome(of reply: RedisValue) -> Bool? { reply.integer.map { $0 == 1 } }
}

/// `release_lock.lua`: gives the clean-up's lock up.
struct ReleaseLock: RedisScript {
    static let file = ScriptFile.releaseLock
    static let function = RedisFunction.leases
    static let proves = false
    let holder: NodeID

    var keys: [String] { [Keys.cleanUpLock] }
    var arguments: [String] { [holder.name] }

    func outcome(of reply: RedisValue) -> Bool? { reply.integer.map { $0 == 1 } }
}
