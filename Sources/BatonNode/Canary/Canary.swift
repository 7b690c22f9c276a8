import BatonAPI
import BatonClient
import BatonCore
import BatonRedis
import Logging
import NIOCore

/// A node's own users, who write to each other and to those of the other nodes, as any client would: through the node's
/// port, with the SDK, over a WebSocket, with tokens of the node's keys.
///
/// It sends; `CanaryWatch` judges by what arrives. It ends when its task is cancelled, before the node evacuates.
struct Canary: Sendable {
    let node: NodeID
    let accounts: any AccountStore
    let tokens: TokenAuthority
    let redis: RedisClient
    /// Whether the node has the bus.
    let hasBus: @Sendable () -> Bool
    let group: any EventLoopGroup
    let clock: any CivilClock
    let watch: CanaryWatch
    /// The other nodes, where Redis has never told: those that the store's file names.
    let storePeers: @Sendable () -> [NodeLease]
    /// Told the leases that Redis names, in each round.
    let onLeases: @Sendable ([NodeLease]) -> Void
    let period: Duration
    let logger: Logger

    /// Until the next attempt to make the users, where the store did not take them.
    private static let patience = Duration.seconds(1)
    /// A canary that lost its connection is back sooner than a client needs to be: it stands for all of them.
    private static let longestReconnectWait = Duration.seconds(2)

    /// - Parameter address: where the node listens.
    func run(at address: RelayAddress) async {
        guard let sender = await account(CanaryHandle.sender(of: node)),
            let partner = await account(CanaryHandle.partner(of: node)),
            let clients = clients(sender, partner, address)
        else { return }
        let neighbours = CanaryNeighbours(on: group)
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await listen(clients.sender) }
            // Reading is acknowledging.
            tasks.addTask { for await _ in clients.partner.events {} }
            tasks.addTask { await rounds(clients.sender, clients.partner, to: partner.user, asking: neighbours) }
        }
        await clients.sender.close()
        await clients.partner.close()
        await neighbours.close()
    }

    private func account(_ handle: String) async -> CanaryAccount? {
        while !Task.isCancelled {
            do {
                let account = try await CanaryAccount.findOrMake(handle, in: accounts, at: clock.now)
                watch.add(account.user)
                return account
            } catch {
                logger.warning("no user for the canary", metadata: ["handle": "\(handle)", "error": "\(error)"])
                try? await ContinuousClock().sleep(for: Self.patience)
            }
        }
        return nil
    }

    private func clients(
        _ sender: CanaryAccount, _ partner: CanaryAccount, _ address: RelayAddress
    ) -> (sender: BatonClient, partner: BatonClient)? {
        do {
            return (try client(sender, address), try client(partner, address))
        } catch {
            logger.error("no client for the canary", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private func client(_ account: CanaryAccount, _ address: RelayAddress) throws(ClientError) -> BatonClient {
        var configuration = ClientConfiguration(addresses: [address])
        configuration.clientName = "canary"
        configuration.outboxMessages = Limits.Canary.undelivered * (Limits.Canary.peers + 1)
        configuration.longestReconnectWait = Self.longestReconnectWait
        configuration.tokenProvider = { [tokens] in try await account.token(of: tokens) }
        configuration.logger = logger
        configuration.logger.logLevel = .warning
        return try BatonClient(configuration, group: group)
    }

    private func listen(_ sender: BatonClient) async {
        for await event in sender.events {
            switch event {
            case .accepted(let message): watch.accepted(message.ref, as: message.id.sequence)
            case .receipt(let receipt): watch.delivered(to: receipt.user, upTo: receipt.delivered)
            case .rejected(let message):
                logger.warning("the canary was refused", metadata: ["error": "\(message.error)"])
                watch.refused(message.ref)
            case .message, .resync, .caughtUp, .presence, .typing: break
            }
        }
    }

    // MARK: Rounds

    private func rounds(
        _ sender: BatonClient, _ partner: BatonClient, to partnerUser: UserID, asking neighbours: CanaryNeighbours
    ) async {
        let clock = ContinuousClock()
        var generator = SystemRandomNumberGenerator()
        var peers = CanaryPeers(own: node, accounts: accounts)
        var connectedAt = clock.now
        await connect(sender, partner)
        await untilOnline(sender)
        while !Task.isCancelled {
            if connectedAt.duration(to: clock.now) > .seconds(Limits.Canary.connectionSeconds) {
                connectedAt = clock.now
                await sender.disconnect()
                await partner.disconnect()
            }
            await connect(sender, partner)
            await send(to: .local, partnerUser, through: sender)
            let leases = await redis.nodes()
            if let leases { onLeases(leases) }
            peers.update(leases ?? (peers.areKnown ? nil : storePeers()))
            watch.keep(Set(peers.living))
            let chosen = peers.choice(using: &generator)
            for peer in chosen {
                guard let user = await peers.user(of: peer.node) else { continue }
                await send(to: .node(peer.node), user, through: sender)
            }
            await lookAtBus(chosen, asking: neighbours)
            watch.countFailures()
            try? await clock.sleep(for: period * Double.random(in: 0.8...1.2, using: &generator))
        }
    }

    /// Only a node that has lost the bus asks which others have.
    private func lookAtBus(_ others: [NodeLease], asking neighbours: CanaryNeighbours) async {
        guard !hasBus() else { return }
        watch.othersHaveBus(await neighbours.withBus(among: others))
    }

    /// Also those who were told to stay away: displaced by a canary of the same name, or revoked.
    private func connect(_ clients: BatonClient...) async {
        for client in clients {
            guard case .offline(let reason) = await client.state else { continue }
            if reason != .requested {
                logger.warning("the canary was sent away", metadata: ["why": "\(reason)"])
            }
            do {
                try await client.connect()
            } catch {
                logger.warning("the canary does not connect", metadata: ["error": "\(error)"])
            }
        }
    }

    private func untilOnline(_ client: BatonClient) async {
        for await state in await client.states() {
            if case .online = state { return }
        }
    }

    private func send(to target: CanaryJudge.Target, _ user: UserID, through client: BatonClient) async {
        guard watch.maySend(to: target) else { return }
        do {
            let ref = try await client.enqueue("canary", to: .user(user))
            watch.sent(ref, to: target, user: user)
        } catch {
            logger.warning("the canary does not send", metadata: ["error": "\(error)"])
        }
    }
}
