package import BatonCore
package import Logging
package import NIOCore

/// One event loop's part in Redis: a command connection, a subscriber connection, and the ports on top of them.
///
/// Not Sendable: made, used and closed on its event loop. It connects for ever until closed; nothing that it is asked
/// for waits for a Redis that is away. Keep it for as long as any of its ports, and close it.
package final class RedisLoop {
    package var bus: any Bus { redisBus }
    package let sessions: any SessionRegistry
    package let presence: any PresenceRegistry
    package let nodes: any NodeRegistry
    package let buckets: any SharedBuckets

    /// Runs whenever `health.isConnected` may have become another.
    package var onChange: () -> Void = {}

    let commands: RedisCommands
    private let eventLoop: any EventLoop
    private let settings: RedisSettings
    let commandLink: RedisLink
    let subscriberLink: RedisLink
    let redisBus: RedisBus
    private var probing: Scheduled<Void>?
    private var waiters: [() -> Void] = []

    /// - Parameter index: which of the node's loops this is; part of its connections' and its probe's names.
    /// - Throws: where the TLS settings are of no use.
    package init(
        eventLoop: any EventLoop, node: NodeID, index: Int, settings: RedisSettings,
        standing: RedisStanding = RedisStanding(), observer: any RedisObserver = SilentRedisObserver(), logger: Logger
    ) throws {
        eventLoop.preconditionInEventLoop()
        var logger = logger
        logger[metadataKey: "loop"] = "\(index)"
        let connector = try RedisConnector(settings: settings)
        let link = { (role: RedisRole) in
            RedisLink(
                role: role, eventLoop: eventLoop, connector: connector, standing: standing, observer: observer,
                logger: logger)
        }
        self.eventLoop = eventLoop
        self.settings = settings
        commandLink = link(.command)
        subscriberLink = link(.subscriber)
        commands = RedisCommands(link: commandLink, standing: standing)
        let sessions = RedisSessionRegistry(commands: commands)
        #if DEBUG
            sessions.plantedBug = settings.plantedBug
        #endif
        self.sessions = sessions
        presence = RedisPresenceRegistry(commands: commands)
        nodes = RedisNodeRegistry(commands: commands, seal: settings.seal, observer: observer)
        buckets = RedisSharedBuckets(commands: commands, eventLoop: eventLoop, observer: observer)
        redisBus = RedisBus(
            commands: commandLink, subscriber: subscriberLink, eventLoop: eventLoop, settings: settings,
            probeChannel: Keys.probe(node, loop: index), standing: standing, observer: observer, logger: logger)

        let name = "baton-\(node)-\(index)"
        commandLink.preparation = { [unowned self] in
            Self.login(settings.url, name: "\(name)-cmd") + commands.preparation
        }
        subscriberLink.preparation = { Self.login(settings.url, name: "\(name)-sub") }
        commandLink.onReady = { [unowned self] in changed() }
        commandLink.onLost = { [unowned self] in changed() }
        redisBus.onChange = { [unowned self] in changed() }
    }

    package struct Health: Hashable, Sendable {
        /// Both connections are up and all wanted subscriptions confirmed.
        package let isConnected: Bool
        /// How long the last probe took; nil where none came back since the subscriber connection was made.
        package let lastProbe: TimeAmount?
        package let pendingCommands: Int
        package let subscriptions: Int
    }

    package var health: Health {
        Health(
            isConnected: redisBus.isConnected, lastProbe: redisBus.lastProbeRoundTrip,
            pendingCommands: commandLink.pendingCommands, subscriptions: redisBus.subscriptionCount)
    }

    package func start() {
        eventLoop.preconditionInEventLoop()
        commandLink.start()
        subscriberLink.start()
        scheduleProbe()
    }

    package func close() {
        eventLoop.preconditionInEventLoop()
        probing?.cancel()
        probing = nil
        subscriberLink.close()
        commandLink.close()
    }

    /// Runs when the loop is connected: at once where it is.
    package func whenConnected(_ body: @escaping () -> Void) {
        if redisBus.isConnected { body() } else { waiters.append(body) }
    }

    private func scheduleProbe() {
        probing = eventLoop.assumeIsolated().scheduleTask(in: settings.probeInterval) {
            self.redisBus.tick()
            self.scheduleProbe()
        }
    }

    private func changed() {
        if redisBus.isConnected {
            let waiting = waiters
            waiters = []
            for waiter in waiting { waiter() }
        }
        onChange()
    }

    private static func login(_ url: RedisURL, name: String) -> [RedisLink.Step] {
        var commands: [RedisCommand] = []
        if let password = url.password {
            commands.append(url.user.map { RedisCommand("AUTH", $0, password) } ?? RedisCommand("AUTH", password))
        }
        if url.database != 0 { commands.append(RedisCommand("SELECT", "\(url.database)")) }
        commands.append(RedisCommand("CLIENT", "SETNAME", name))
        return commands.map { RedisLink.Step(command: $0) }
    }
}

@available(*, unavailable)
extension RedisLoop: Sendable {}
