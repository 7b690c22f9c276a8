import BatonCore
import Logging
import NIOCore

/// The bus of one event loop: PUBLISH on its command connection, SUBSCRIBE on its subscriber connection.
///
/// 1. Keeps the wanted subscriptions, and makes them anew after each reconnect.
/// 2. Publishes; what cannot be sent now is not sent at all, since hints are never trusted to arrive.
/// 3. Probes itself, and tears a subscriber connection down that hears nothing of it.
///
/// Sharded pub/sub of Redis Cluster belongs here: other command names, one subscriber connection a shard.
final class RedisBus: Bus {
    weak var receiver: (any BusReceiver)?

    private let commands: RedisLink
    private let subscriber: RedisLink
    private let eventLoop: any EventLoop
    private let observer: any RedisObserver
    private let logger: Logger
    private let probeChannel: String
    private let standing: RedisStanding
    private let seal: ClusterSeal?
    private var subscriptions: Subscriptions
    private var probe: LivenessProbe
    private var wasRestored = false

    /// Runs whenever `isConnected` may have become another.
    var onChange: () -> Void = {}

    init(
        commands: RedisLink, subscriber: RedisLink, eventLoop: any EventLoop, settings: RedisSettings,
        probeChannel: String, standing: RedisStanding, observer: any RedisObserver, logger: Logger
    ) {
        self.commands = commands
        self.subscriber = subscriber
        self.eventLoop = eventLoop
        self.observer = observer
        self.logger = logger
        self.probeChannel = probeChannel
        self.standing = standing
        seal = settings.seal
        // A quarter of the line, so that there is room for what comes meanwhile.
        subscriptions = Subscriptions(
            window: max(1, settings.pendingCommands / 4), batch: min(128, max(1, settings.pendingCommands / 4)))
        probe = LivenessProbe(patience: settings.probeInterval)
        // The one who owns the bus keeps it for as long as the connections.
        subscriber.onReady = { [unowned self] in subscriberReady() }
        subscriber.onLost = { [unowned self] in subscriberLost() }
        subscriber.onMessage = { [unowned self] in received($1, on: $0) }
        _ = subscriptions.subscribed(.probe) { _ in }
    }

    var isConnected: Bool { commands.isReady && subscriber.isReady && subscriptions.isRestored }

    var carriesHints: Bool { isConnected && !standing.isRefused(.hints) && !standing.isRefused(.subscriptions) }

    var lastProbeRoundTrip: TimeAmount? { probe.lastRoundTrip }

    var subscriptionCount: Int { subscriptions.wanted }

    func subscribe(_ channel: BusChannel, confirmed: @escaping (Bool) -> Void) {
        if let answer = subscriptions.subscribed(.bus(channel), confirmed: confirmed) {
            confirmed(answer)
        } else {
            sendOrders()
        }
    }

    func unsubscribe(_ channel: BusChannel) {
        for confirmed in subscriptions.unsubscribed(.bus(channel)) { confirmed(false) }
        sendOrders()
    }

    func publish(_ message: BusMessage, to channel: BusChannel, receivers: ((Int?) -> Void)?) {
        let name = Keys.channel(channel)
        var command = RedisCommand("PUBLISH", name)
        command.append(reserving: SealedMessage.count(of: message)) { [seal] bytes in
            SealedMessage.append(message, at: name, sealedBy: seal, to: &bytes)
        }
        publish(command, receivers: receivers)
    }

    /// Called at each probe interval.
    func tick() {
        observer.pendingCommands(commands.pendingCommands)
        act(probe.tick(now: eventLoop.now, isReady: isConnected))
    }

    private func publish(_ command: RedisCommand, receivers: ((Int?) -> Void)?) {
        commands.send(command) { [observer, standing] result in
            switch result {
            case .success(.integer(let count)):
                standing.worked(.hints)
                observer.published(receivers: Int(count))
                receivers?(Int(count))
            case .success:
                observer.publishFailed(.brokenReply("PUBLISH was not answered with a number"))
                receivers?(nil)
            case .failure(let error):
                standing.failed(.hints, error)
                observer.publishFailed(error)
                receivers?(nil)
            }
        }
    }

    private func act(_ action: LivenessProbe.Action) {
        switch action {
        case .nothing:
            break
        case .publish(let number):
            publish(RedisCommand("PUBLISH", probeChannel, "probe \(number)")) { receivers in
                self.act(self.probe.published(number, receivers: receivers))
            }
        case .tearDown:
            logger.warning("The subscriber connection heard nothing of its own probe")
            observer.probeMissed()
            subscriber.tearDown(.timedOut)
        }
    }

    private func sendOrders() {
        while let order = subscriptions.nextOrder() {
            switch order {
            case .subscribe(let channels):
                var command = RedisCommand("SUBSCRIBE")
                for channel in channels { command.append(name(of: channel)) }
                send(command, channels: channels, isPresent: true)
            case .unsubscribe(let channel):
                send(RedisCommand("UNSUBSCRIBE", name(of: channel)), channels: [channel], isPresent: false)
            }
        }
    }

    private func send(_ command: RedisCommand, channels: [Subscriptions.Channel], isPresent: Bool) {
        let completions = channels.map { channel in
            { (result: Result<RedisValue, RedisError>) in self.answered(result, channel, isPresent: isPresent) }
        }
        subscriber.send(command, completions: completions)
    }

    private func answered(
        _ result: Result<RedisValue, RedisError>, _ channel: Subscriptions.Channel, isPresent: Bool
    ) {
        guard case .success(let value) = result else {
            // One error answers a command of many channels: replies and channels cannot be matched any more.
            if case .failure(.refused(let text)) = result {
                standing.failed(.subscriptions, .refused(text))
                subscriber.tearDown(.refused(text))
            } else if case .failure(.overloaded) = result {
                subscriber.tearDown(.overloaded)
            }
            return
        }
        guard let parts = value.array, parts.count == 3, parts[1].bytes == Array(name(of: channel).utf8) else {
            subscriber.tearDown(.brokenReply("the confirmation of another channel"))
            return
        }
        for confirmed in subscriptions.confirmed(channel, isPresent: isPresent) { confirmed(true) }
        sendOrders()
        announceRestored()
    }

    private func subscriberReady() {
        subscriptions.connected()
        sendOrders()
    }

    private func announceRestored() {
        guard subscriptions.isRestored, !wasRestored else { return }
        wasRestored = true
        standing.worked(.subscriptions)
        // The first probe at once: readiness need not wait for it, but a dead subscription is found sooner.
        tick()
        onChange()
        receiver?.subscriptionsRestored()
    }

    private func subscriberLost() {
        probe.reset()
        let waiting = subscriptions.disconnected()
        let wasRestored = wasRestored
        self.wasRestored = false
        for confirmed in waiting { confirmed(false) }
        onChange()
        if wasRestored { receiver?.subscriptionsLost() }
    }

    private func received(_ payload: [UInt8], on name: [UInt8]) {
        if let channel = Keys.channel(named: name) {
            // Messages may still come for a channel that is being left.
            guard subscriptions.isWanted(.bus(channel)) else { return }
            switch SealedMessage(text: payload, at: String(decoding: name, as: UTF8.self), seal: seal) {
            case .proven(let message): receiver?.received(message, on: channel)
            case .unproven(let rest):
                observer.unprovenMessage()
                if let rest { receiver?.received(rest, on: channel) }
            case .undecodable: observer.undecodableMessage()
            }
        } else if let number = Self.probeNumber(payload) {
            if let roundTrip = probe.heard(number, now: eventLoop.now) { observer.probeHeard(after: roundTrip) }
        } else {
            observer.undecodableMessage()
        }
    }

    private func name(of channel: Subscriptions.Channel) -> String {
        switch channel {
        case .bus(let channel): Keys.channel(channel)
        case .probe: probeChannel
        }
    }

    private static func probeNumber(_ payload: [UInt8]) -> UInt64? {
        let prefix = "probe ".utf8
        guard payload.starts(with: prefix), payload.count <= 32 else { return nil }
        return UInt64(String(decoding: payload.dropFirst(prefix.count), as: UTF8.self))
    }
}

@available(*, unavailable)
extension RedisBus: Sendable {}
