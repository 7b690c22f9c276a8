import Logging
import NIOCore

/// A connection to Redis that reconnects until it is closed, with a capped and jittered backoff.
///
/// While it is ready, it sends commands. While it is not, each command fails at once with `.notConnected`; nothing is
/// queued. All calls and callbacks happen on its event loop.
final class RedisLink {
    let role: RedisRole
    private let eventLoop: any EventLoop
    private let connector: RedisConnector
    private let standing: RedisStanding
    private let observer: any RedisObserver
    private let logger: Logger
    private var machine = StateMachine()
    private var handler: RedisHandler?
    private var timer: Scheduled<Void>?

    /// Commands that a new connection sends first, followed by `PING`. The link is ready when `PING` is answered. If a
    /// command fails, the link closes this connection and makes another one after the backoff.
    var preparation: () -> [Step] = { [] }
    var onReady: () -> Void = {}
    /// Runs when a ready connection is lost, or closed with `close`.
    var onLost: () -> Void = {}
    var onMessage: (([UInt8], [UInt8]) -> Void)?

    struct Step {
        let command: RedisCommand
        var replied: (RedisValue) -> Void = { _ in }
    }

    init(
        role: RedisRole, eventLoop: any EventLoop, connector: RedisConnector, standing: RedisStanding,
        observer: any RedisObserver, logger: Logger
    ) {
        self.role = role
        self.eventLoop = eventLoop
        self.connector = connector
        self.standing = standing
        self.observer = observer
        var logger = logger
        logger[metadataKey: "connection"] = "\(role.rawValue)"
        self.logger = logger
    }

    var isReady: Bool { machine.isReady }

    var pendingCommands: Int { handler?.pendingCommands ?? 0 }

    func start() {
        eventLoop.preconditionInEventLoop()
        if machine.started() { connect() }
    }

    func send(_ command: RedisCommand, completion: @escaping RedisHandler.Completion) {
        send(command, completions: [completion])
    }

    func send(_ command: RedisCommand, completions: [RedisHandler.Completion]) {
        guard machine.isReady, let handler else {
            for completion in completions { completion(.failure(.notConnected)) }
            return
        }
        handler.send(command, completions: completions)
    }

    /// Closes a connection that no longer works though it is open. The link then connects again.
    func tearDown(_ error: RedisError) {
        handler?.close(error)
    }

    func close() {
        let wasReady = machine.closed()
        timer?.cancel()
        timer = nil
        handler?.close(.closed)
        if wasReady { onLost() }
    }

    private func connect() {
        connector.connect(on: eventLoop).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel):
                self.connected(channel)
            case .failure(let error):
                self.lost(.transport("\(error)"))
            }
        }
    }

    private func connected(_ channel: any Channel) {
        guard machine.connected() else {
            channel.close(promise: nil)
            return
        }
        let handler: RedisHandler
        do {
            handler = RedisHandler(settings: connector.settings)
            try channel.pipeline.syncOperations.addHandler(handler)
        } catch {
            channel.close(promise: nil)
            lost(.connectionLost)
            return
        }
        self.handler = handler
        handler.onMessage = onMessage
        handler.onClosed = { error in
            self.handler = nil
            self.lost(error)
        }
        guard channel.isActive else {
            handler.close(.connectionLost)
            return
        }
        prepare(handler)
        // Reading starts only now. Bytes read before the handler was in the pipeline would be lost.
        channel.setOption(.autoRead, value: true).whenComplete { _ in }
    }

    private func prepare(_ handler: RedisHandler) {
        let steps = preparation()
        for step in steps {
            handler.send(step.command) { result in
                switch result {
                case .success(let value):
                    step.replied(value)
                case .failure(let error): self.refused(error, handler)
                }
            }
        }
        handler.send(RedisCommand("PING")) { result in
            switch result {
            case .success: self.prepared()
            case .failure(let error): self.refused(error, handler)
            }
        }
    }

    /// Closes a connection that Redis refused. The error has Redis's reason (WRONGPASS, NOAUTH, LOADING), no password.
    private func refused(_ error: RedisError, _ handler: RedisHandler) {
        standing.failed(.login, error)
        handler.close(error)
    }

    private func prepared() {
        guard let attempts = machine.prepared(now: eventLoop.now) else { return }
        standing.worked(.login)
        logger.log(
            level: attempts > 1 ? .debug : .info, "Connected to Redis", metadata: ["attempts": "\(attempts)"])
        observer.connected(role, attempts: attempts)
        onReady()
    }

    private func lost(_ error: RedisError) {
        guard case .retry(let attempt, let wasReady) = machine.lost(now: eventLoop.now) else { return }
        if wasReady {
            logger.log(
                level: attempt == 0 ? .warning : .debug, "Lost the connection to Redis", metadata: ["error": "\(error)"]
            )
            observer.disconnected(role, error)
        } else {
            // A warning for the first failed attempt only. Further attempts are logged at debug level.
            logger.log(
                level: attempt == 0 ? .warning : .debug, "Redis could not be reached",
                metadata: ["error": "\(error)", "attempt": "\(attempt + 1)"])
        }
        var generator = connector.settings.random
        let delay = connector.settings.backoff.delay(attempt: attempt, using: &generator)
        timer = eventLoop.assumeIsolated().scheduleTask(in: delay) {
            if self.machine.backoffEnded() { self.connect() }
        }
        if wasReady { onLost() }
    }
}

@available(*, unavailable)
extension RedisLink: Sendable {}
