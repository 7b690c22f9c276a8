/// Faults of Redis and of the host, and bytes that nobody should send.
extension FaultInjector {
    /// Port 1 of this machine, where no program listens.
    private static let nobody = "127.0.0.1 1"
    /// What Redis has by itself.
    private static let outputBuffer = "pubsub 33554432 8388608 60"
    /// More than a connection's own buffer of 16 KiB holds, to each channel with a subscriber. Nodes see a hint that
    /// is none.
    private static let flood = """
        EVAL "for _, c in ipairs(redis.call('pubsub', 'channels', 'user:*')) do \
        redis.call('publish', c, string.rep('x', 65536)) end return 1" 0
        """

    func make(_ fault: FaultAction.RedisFault, for duration: Duration) async throws {
        switch fault {
        case .flush: try await cluster.emptyRedis()
        case .dropSubscribers: _ = try await cluster.redis("CLIENT KILL TYPE pubsub")
        case .kill: try await restartRedis(after: duration)
        case .snapshot:
            _ = try await cluster.redis("SAVE")
            try await ContinuousClock().sleep(for: duration)
            try await restartRedis(after: .milliseconds(200), fromSnapshot: true)
        case .pause:
            _ = try await cluster.redis("CLIENT PAUSE \(Int(duration / .milliseconds(1)))")
            try await ContinuousClock().sleep(for: duration)
        case .readOnly:
            _ = try await cluster.redis("REPLICAOF \(Self.nobody)")
            try await hold(duration) { _ = try await cluster.redis("REPLICAOF NO ONE") }
        case .noMemory:
            _ = try await cluster.redis("CONFIG SET maxmemory 1")
            try await hold(duration) { _ = try await cluster.redis("CONFIG SET maxmemory 0") }
        case .outputBuffer:
            _ = try await cluster.redis("CONFIG SET client-output-buffer-limit \"pubsub 1 1 1\"")
            _ = try await cluster.redis(Self.flood)
            try await hold(duration) {
                _ = try await cluster.redis("CONFIG SET client-output-buffer-limit \"\(Self.outputBuffer)\"")
            }
        }
    }

    private func restartRedis(after duration: Duration, fromSnapshot: Bool = false) async throws {
        await cluster.killRedis()
        try await ContinuousClock().sleep(for: duration)
        try await cluster.startRedis(fromSnapshot: fromSnapshot)
        note("Redis is back")
    }

    // MARK: The host

    static func make(_ fault: FaultAction.HostFault, at host: HostFaults) {
        switch fault {
        case .diskFull: host.fillDisk()
        case .slowSyncs(let delay): host.delaySyncs(by: delay)
        case .failingSyncs(let count): host.failSyncs(count)
        case .clock(let offset): host.setClock(wrongBy: offset)
        }
    }

    // MARK: Poison

    /// Malformed bytes of all kinds, from a client of its own. The node answers or closes, and goes on.
    func poison(_ node: Int, _ fault: PlannedFault) async throws {
        let url = cluster.nodeURLs[node]
        let client = try await PoisonClient(url: url, seed: settings.seed)
        began(fault)
        for complaint in await client.run() { complain("n\(node + 1): \(complaint)") }
        try await cluster.untilReady(node)
    }
}
