import BatonCore
import Logging
import NIOEmbedded
import Testing

@testable import BatonRedis

@Suite("The bounds of what an event loop asks Redis, or will ask")
struct RegistryBoundsTests {
    /// Of a connection that was never made.
    private let commands: RedisCommands

    init() throws {
        let settings = RedisSettings(url: RedisURL(host: "127.0.0.1", port: 1))
        let standing = RedisStanding()
        commands = RedisCommands(
            link: RedisLink(
                role: .command, eventLoop: EmbeddedEventLoop(), connector: try RedisConnector(settings: settings),
                standing: standing, observer: SilentRedisObserver(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }), standing: standing)
    }

    private func session(_ number: Int) -> Session {
        Session(
            user: UserID(rawValue: UInt64(number)), device: DeviceID(rawValue: 1), node: TestRedis.node,
            incarnation: 1, generation: ConnectionGeneration(rawValue: 1), since: Timestamp(milliseconds: 1),
            client: "test")
    }

    @Test("So many removals are remembered while Redis is away; the TTL ends what one more would have removed")
    func removals() {
        let registry = RedisSessionRegistry(commands: commands)
        for number in 0...Limits.Redis.rememberedRemovals { registry.remove(session(number)) { #expect($0 == nil) } }
        #expect(registry.unremoved.count == Limits.Redis.rememberedRemovals)
        registry.write([]) { _ in }
        #expect(registry.unremoved.count == Limits.Redis.rememberedRemovals, "they failed again")
    }

    @Test("The item behind a full batch is done when all of the batch is answered")
    func batches() {
        var waiting: [(Result<Int, RedisError>) -> Void] = []
        var done: [Int] = []
        commands.forEach(Array(0...Limits.Redis.batchItems)) { _, answer in
            waiting.append(answer)
        } completion: { items, failure in
            done = items.map(\.value)
            #expect(failure == nil)
        }
        #expect(waiting.count == Limits.Redis.batchItems)
        for number in 0..<Limits.Redis.batchItems {
            #expect(waiting.count == Limits.Redis.batchItems)
            waiting[number](.success(number))
        }
        #expect(waiting.count == Limits.Redis.batchItems + 1 && done.isEmpty)
        waiting[Limits.Redis.batchItems](.success(Limits.Redis.batchItems))
        #expect(done == Array(0...Limits.Redis.batchItems))
    }

    @Test("A batch that fails is the last")
    func failure() {
        var asked = 0
        var cause: RedisError?
        commands.forEach(Array(0...Limits.Redis.batchItems)) { (_, answer: (Result<Int, RedisError>) -> Void) in
            asked += 1
            answer(.failure(.notConnected))
        } completion: { items, failure in
            #expect(items.isEmpty)
            cause = failure
        }
        #expect(asked == Limits.Redis.batchItems && cause == .notConnected)
    }
}
