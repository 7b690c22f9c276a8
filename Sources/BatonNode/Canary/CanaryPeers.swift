import BatonCore

/// The canaries of the other nodes: which of them to write to, and who they are in the store.
struct CanaryPeers {
    private let own: NodeID
    private let accounts: any AccountStore
    private var users: [NodeID: UserID] = [:]
    /// As Redis told them last.
    private var leases: [NodeLease] = []

    init(own: NodeID, accounts: any AccountStore) {
        self.own = own
        self.accounts = accounts
    }

    /// - Parameter leases: nil where Redis does not tell: then those of before are still to be reached.
    mutating func update(_ leases: [NodeLease]?) {
        guard let leases else { return }
        // One that evacuates sends its canary away first.
        self.leases = leases.filter { $0.node != own && $0.state == .up }
        let known = Set(living)
        users = users.filter { known.contains($0.key) }
    }

    /// Other nodes were named.
    var areKnown: Bool { !leases.isEmpty }

    var living: [NodeID] { leases.map(\.node) }

    /// Some of the others.
    func choice(using generator: inout some RandomNumberGenerator) -> [NodeLease] {
        guard leases.count > Limits.Canary.peers else { return leases }
        return Array(leases.shuffled(using: &generator).prefix(Limits.Canary.peers))
    }

    /// A node's canary; nil where it has none yet.
    mutating func user(of node: NodeID) async -> UserID? {
        if let user = users[node] { return user }
        guard let user = try? await accounts.user(handle: CanaryHandle.sender(of: node)) else { return nil }
        users[node] = user.id
        return user.id
    }
}
