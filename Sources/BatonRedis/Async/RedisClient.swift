package import BatonCore
package import Logging
package import NIOCore

/// All of a node's event loops' parts in Redis, and the way to them for code that is on none of them.
package final class RedisClient: Sendable {
    private let loops: [NIOLoopBound<RedisLoop>]
    /// What Redis refuses.
    package let standing: RedisStanding

    /// Makes a `RedisLoop` on each event loop and starts it. Does not wait for Redis.
    ///
    /// - Throws: where the TLS settings are of no use.
    package static func start(
        on eventLoops: [any EventLoop], node: NodeID, settings: RedisSettings,
        standing: RedisStanding = RedisStanding(), observer: any RedisObserver = SilentRedisObserver(), logger: Logger
    ) async throws -> RedisClient {
        precondition(!eventLoops.isEmpty, "a client needs an event loop")
        var loops: [NIOLoopBound<RedisLoop>] = []
        for (index, eventLoop) in eventLoops.enumerated() {
            let loop = try await eventLoop.submit {
                let loop = try RedisLoop(
                    eventLoop: eventLoop, node: node, index: index, settings: settings, standing: standing,
                    observer: observer, logger: logger)
                loop.start()
                return NIOLoopBound(loop, eventLoop: eventLoop)
            }.get()
            loops.append(loop)
        }
        return RedisClient(loops: loops, standing: standing)
    }

    private init(loops: [NIOLoopBound<RedisLoop>], standing: RedisStanding) {
        self.loops = loops
        self.standing = standing
    }

    /// The event loop's own part. To be called on that event loop, which must be one of the client's.
    package func loop(on eventLoop: any EventLoop) -> RedisLoop {
        guard let loop = loops.first(where: { $0.eventLoop === eventLoop }) else {
            preconditionFailure("the event loop is none of this client's")
        }
        return loop.value
    }

    package func close() async {
        for loop in loops {
            // Submitting fails only where the event loop has ended, and its connections with it.
            try? await loop.eventLoop.submit { loop.value.close() }.get()
        }
    }

    package func health() async -> [RedisLoop.Health] {
        var all: [RedisLoop.Health] = []
        for loop in loops {
            if let health = try? await loop.eventLoop.submit({ loop.value.health }).get() { all.append(health) }
        }
        return all
    }

    /// - Returns: false where not all loops were connected in time.
    package func waitUntilConnected(for timeout: TimeAmount) async -> Bool {
        for loop in loops {
            let isConnected = await Self.ask(loop, timeout: timeout) { redis, answer in
                redis.whenConnected { answer(true) }
            }
            guard isConnected == true else { return false }
        }
        return true
    }

    package func run(_ command: RedisCommand) async throws(RedisError) -> RedisValue {
        let result = await ask { loop, answer in loop.commands.send(command, completion: answer) }
        return try (result ?? .failure(.closed)).get()
    }

    /// Publishes from outside the event loops: for orders, not for the path of a message.
    ///
    /// - Returns: the number of subscribed connections, nil where the message could not be sent.
    package func publish(_ message: BusMessage, to channel: BusChannel) async -> Int? {
        let answer: Int?? = await ask { loop, answer in loop.bus.publish(message, to: channel, receivers: answer) }
        return answer ?? nil
    }

    /// Asks one of the loops that is connected, else any, and awaits its answer.
    ///
    /// - Returns: nil where the event loop has ended, or did not answer in time.
    func ask<Answer: Sendable>(
        within timeout: TimeAmount? = nil,
        _ question: @escaping @Sendable (RedisLoop, @escaping (Answer) -> Void) -> Void
    ) async -> Answer? {
        await Self.ask(loops[Int.random(in: loops.indices)], timeout: timeout, question)
    }

    private static func ask<Answer: Sendable>(
        _ loop: NIOLoopBound<RedisLoop>, timeout: TimeAmount?,
        _ question: @escaping @Sendable (RedisLoop, @escaping (Answer) -> Void) -> Void
    ) async -> Answer? {
        let eventLoop = loop.eventLoop
        return try? await eventLoop.flatSubmit {
            let promise = eventLoop.makePromise(of: Answer?.self)
            let once = Once(promise: promise)
            question(loop.value) { once.answer($0) }
            if let timeout {
                let timer = eventLoop.assumeIsolated().scheduleTask(in: timeout) { once.answer(nil) }
                promise.futureResult.assumeIsolated().whenComplete { _ in timer.cancel() }
            }
            return promise.futureResult
        }.get()
    }

    /// A promise that an answer and a timer race for.
    private final class Once<Answer: Sendable> {
        private var promise: EventLoopPromise<Answer?>?

        init(promise: EventLoopPromise<Answer?>) {
            self.promise = promise
        }

        func answer(_ answer: Answer?) {
            let promise = promise
            self.promise = nil
            promise?.succeed(answer)
        }
    }
}
