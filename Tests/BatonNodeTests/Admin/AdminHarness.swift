import BatonAPI
import BatonCore
import BatonGateway
import BatonTestKit
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization
import Testing

@testable import BatonNode

/// The routes of a node that needs no server: requests go straight to the router's responder.
struct AdminHarness {
    static let token = String(repeating: "t", count: 43)

    private let refused = Refusals()
    private let addresses = AdminAddresses()
    let time = Time()

    /// A monotonic time that tests move.
    final class Time: Sendable {
        private let value = Mutex(NIODeadline.uptimeNanoseconds(0))
        var now: NIODeadline { value.withLock { $0 } }
        func advance(by amount: TimeAmount) { value.withLock { $0 = $0 + amount } }
    }
    private let responder: RouterResponder<APIRequestContext>

    /// The API's and those of `/admin`.
    let routes: [RouteTable.Route]

    init() async throws {
        let clock = MutableClock()
        let accounts = InMemoryAccountStore()
        let keys = try #require(SigningKeys([.random(created: clock.now)]))
        let limiter = InMemoryRateLimiter(clock: clock)
        let tokens = await TokenAuthority(keys: keys, clock: clock)
        var routes = RouteTable(
            APIDependencies(
                accounts: accounts, conversations: InMemoryConversationStore(accounts: accounts),
                messages: ScriptedSubmitter(), limiter: limiter,
                revocations: RecordingRevocationAnnouncer(isReachable: true),
                acquaintances: RecordingAcquaintanceAnnouncer(), presence: SettablePresence(),
                sessions: SettableSessions(), clock: clock, tokens: tokens, keys: ClusterKeys(keys),
                passwords: PasswordHasher(
                    parameters: Argon2Parameters(memoryKiB: 8, iterations: 1, parallelism: 1), threads: 1, queue: 1)))
        let refused = refused
        addresses.set(advertised: "n1.example:8081", host: "0.0.0.0", port: 8081)
        let gate = AdminGate(
            token: try #require(AdminToken(Self.token)), challenges: AdminChallenges { [time] in time.now },
            addresses: addresses, limiter: limiter
        ) { refused.add($0) }
        let relay = RelayNode(settings: RelaySettings(node: try #require(NodeID("n1")), incarnation: 1))
        AdminRoutes(
            gate: gate, status: { .sample("n1") }, cluster: { Self.cluster },
            trace: TraceRoute { await relay.trace($0) },
            doctor: DoctorRoute(accounts: accounts, tokens: tokens, clock: clock)
        ).add(to: &routes)
        self.routes = routes.routes
        responder = routes.router().buildResponder()
    }

    var refusals: [String] { refused.reasons.withLock { $0 } }

    struct Answer {
        let status: Int
        let headers: HTTPFields
        let text: String
    }

    func get(_ path: String, _ headers: HTTPFields = [:], from address: String = "192.0.2.1") async throws -> Answer {
        try await ask(.get, path, headers, from: address)
    }

    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ headers: HTTPFields = [:], from address: String = "192.0.2.1",
        host: String? = "localhost"
    ) async throws -> Answer {
        let head = HTTPRequest(method: method, scheme: "http", authority: host, path: path, headerFields: headers)
        let context = APIRequestContext(
            remoteAddress: address, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let response = try await responder.respond(
            to: Request(head: head, body: RequestBody(buffer: ByteBuffer())), context: context)
        let collected = Collector()
        try await response.body.write(collected)
        return Answer(
            status: response.status.code, headers: response.headers, text: collected.text.withLock { $0 })
    }

    private static let cluster = ClusterStatus(
        answeredBy: "n1", at: 0, registryReachable: true,
        nodes: [ClusterStatus.Node(node: "n1", address: "127.0.0.1:1", lease: "up", status: .sample("n1"))],
        store: ClusterStatus.SharedStore(
            backlog: 3, backlogIsBound: false, fileBytes: 1, walBytes: 1, freeBytes: 1, diskBytes: 2))

    private final class Refusals: Sendable {
        let reasons = Mutex<[String]>([])
        func add(_ reason: String) { reasons.withLock { $0.append(reason) } }
    }

    private final class Collector: ResponseBodyWriter, Sendable {
        let text = Mutex("")
        func write(_ buffer: ByteBuffer) async throws { text.withLock { $0 += String(buffer: buffer) } }
        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }
}

extension Distribution {
    /// So many values of 2 ms.
    static func sample(_ count: Int) -> Distribution {
        Distribution(bounds: [0.001, 0.002, 0.004], counts: [0, count, count, count], sum: 0.002 * Double(count))
    }
}

extension NodeStatus {
    /// A node that has accepted so many messages in so many milliseconds.
    static func sample(_ name: String, accepted: Int64 = 10, milliseconds: Int64 = 1_000) -> NodeStatus {
        NodeStatus(
            node: name, incarnation: "1", version: "0", pid: 1, ready: true, degraded: false, reasons: [],
            monotonicMilliseconds: milliseconds, uptimeSeconds: Double(milliseconds) / 1_000,
            connections: Connections(open: 7, limit: 100, opened: 9, closed: 2, refused: 0),
            messages: Messages(
                accepted: accepted, repeated: 0, rejected: 0, deliveredByHint: 2 * accepted, deliveredByDrain: 0,
                acknowledged: accepted, unacknowledged: 4, accept: .sample(Int(accepted))),
            hints: Hints(
                published: accepted, received: accepted, missed: 0, gaps: 0, stale: 0, publishErrors: 0, drains: 0,
                drainsFailed: 0, windowFull: 0),
            slowReaders: SlowReaders(
                count: 1, slowest: [SlowReader(user: "u", device: "d", seconds: 3, waiting: 12)]),
            store: Store(
                failure: nil, errors: 0, queued: 1, queueLimit: 16, walPages: 5, commit: .sample(Int(accepted)),
                batch: .sample(1), turnstile: .sample(1)),
            redis: Redis(loops: 2, connected: 2, reconnects: 0, errors: 0, probe: .sample(1)),
            process: Process(
                residentBytes: 1_000_000, cpuSeconds: 1, descriptors: 20, descriptorLimit: 1_024,
                loopLag: .sample(1)), canary: Canary(samples: [:], seconds: .sample(1)))
    }
}
