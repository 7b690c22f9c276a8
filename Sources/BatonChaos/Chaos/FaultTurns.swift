/// Which faults are on at the same time: several, as long as they do not contradict each other and something still
/// works. Who cannot begin waits, in order; nobody is overtaken by one that needs the same.
struct FaultTurns {
    /// What a fault has for itself.
    enum Resource: Hashable {
        case process(Int), clientLink(Int), redisLink(Int), host(Int)
        case redis
    }

    struct Claim {
        var resources: Set<Resource> = []
        /// Nodes that do not serve meanwhile, as far as clients can see.
        var hampers: Set<Int> = []
        /// It may take the last node that serves, since it is short.
        var isTotal = false
    }

    private let nodes: Int
    private var active: [Int: Claim] = [:]
    private var waiting: [(number: Int, claim: Claim)] = []

    init(nodes: Int) { self.nodes = nodes }

    /// - Returns: whether it may begin now; else it waits until `ended` names it.
    mutating func asked(_ number: Int, for claim: Claim) -> Bool {
        waiting.append((number, claim))
        return admitted().contains(number)
    }

    /// - Returns: those that may begin now.
    mutating func ended(_ number: Int) -> [Int] {
        active[number] = nil
        return admitted()
    }

    /// Whether a fault has this process in hand.
    func hasProcess(_ node: Int) -> Bool { active.values.contains { $0.resources.contains(.process(node)) } }

    private mutating func admitted() -> [Int] {
        var admitted: [Int] = []
        var stillWaiting: [(number: Int, claim: Claim)] = []
        var wanted: Set<Resource> = []
        for (number, claim) in waiting {
            if claim.resources.isDisjoint(with: wanted), fits(claim) {
                active[number] = claim
                admitted.append(number)
            } else {
                wanted.formUnion(claim.resources)
                stillWaiting.append((number, claim))
            }
        }
        waiting = stillWaiting
        return admitted
    }

    private func fits(_ claim: Claim) -> Bool {
        guard active.values.allSatisfy({ $0.resources.isDisjoint(with: claim.resources) }) else { return false }
        if claim.isTotal || claim.hampers.isEmpty || nodes == 1 { return true }
        let hampered = active.values.reduce(claim.hampers) { $0.union($1.hampers) }
        return hampered.count < nodes
    }
}

extension FaultTurns.Claim {
    /// What a planned fault needs for itself.
    init(_ action: FaultAction, nodes: Int) {
        switch action {
        case .kill(let killed):
            self.init(
                resources: Set(killed.map { .process($0) }), hampers: Set(killed), isTotal: killed.count == nodes)
        case .failpoint(let node, _), .terminate(let node), .stop(let node), .runOther(let node):
            self.init(resources: [.process(node)], hampers: [node])
        case .breakLink(.clients, let node, _): self.init(resources: [.clientLink(node)], hampers: [node])
        case .breakLink(.redis, let node, _): self.init(resources: [.redisLink(node)])
        case .redis: self.init(resources: [.redis])
        case .host(let faulty, .diskFull):
            self.init(resources: Set(faulty.flatMap { [.host($0), .process($0)] }), isTotal: true)
        case .host(let faulty, .failingSyncs):
            self.init(
                resources: Set(faulty.flatMap { [.host($0), .process($0)] }), hampers: Set(faulty),
                isTotal: faulty.count == nodes)
        case .host(let faulty, .slowSyncs), .host(let faulty, .clock):
            self.init(resources: Set(faulty.map { .host($0) }))
        case .descriptors(let node): self.init(resources: [.process(node), .clientLink(node)], hampers: [node])
        case .herd: self.init()
        case .poison(let node): self.init(resources: [.process(node), .clientLink(node)])
        }
    }
}
