import Logging
import NIOCore

/// A connection to Redis that comes back for ever, with a capped and jittered backoff.
///
/// Commands are sent while it is ready and refused at once while it is not: nothing is queued for a Redis that is
/// away. Everything happens on its event loop.
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

    /// What is sent on a new connection before anything else, all in one write; each reply goes to its closure. An
    /// error that `mayFail` does not allow gives the connection up.
    var preparation: () -> [Step] = { [] }
    var onReady: () -> Void = {}
    /// Runs where a ready connection was lost.
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

    /// Gives a connection up that only looks alive; it is made anew.
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
        // The channel does not read by itself: what came before the handler was there would have been lost.
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

    /// Its text names what Redis dislikes (WRONGPASS, NOAUTH, LOADING), never a password.
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
            // One line when it begins, not one an attempt for as long as Redis is away.
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
