import BatonAPI
import BatonCore
import BatonEdge
import BatonGateway
import BatonProtocol
import BatonTestKit
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Testing

/// An edge on a free port of the loopback, with a relay behind it that remembers whom it got and echoes.
final class EdgeFixture: Sendable {
    static let goodToken = "good.token-1"
    static let principal = Principal(
        user: UserID(rawValue: 7), device: DeviceID(rawValue: 8), expiresAt: Timestamp(milliseconds: 1))

    let address: SocketAddress
    /// Those that are no WebSockets.
    let plain: EdgeConnections
    private let installed: Mutex<[EdgeClient]>
    private let connections = Mutex<[RawConnection]>([])

    private let services: ServiceGroup
    private let recorder: Recorder

    /// Why requests were refused, as the metrics are told.
    var refusals: [String] { recorder.refusals }
    /// Which bounds were met, as the metrics are told.
    var bounds: [ConnectionBound] { recorder.bounds }
    /// Large answers that were made.
    var largeAnswers: Int { recorder.largeCount }

    /// Returns when the next answer was given up because nobody took it.
    func untilAbandoned() async {
        for await _ in recorder.abandonments.stream { return }
    }

    private init(
        address: SocketAddress, services: ServiceGroup, recorder: Recorder, plain: EdgeConnections
    ) {
        self.address = address
        self.plain = plain
        self.recorder = recorder
        self.services = services
        installed = Mutex([])
    }

    /// Whom the relay got.
    var clients: [EdgeClient] { installed.withLock { $0 } }

    /// Runs an edge as long as the body.
    static func run(
        admission: EdgeAdmission = .admitted, echo: Bool = true, installs: Bool = true,
        logger: Logger = Logger(label: "edge") { _ in SwiftLogNoOpLogHandler() },
        configure: (inout EdgeConfiguration) -> Void = { _ in },
        _ body: @Sendable @escaping (EdgeFixture) async throws -> Void
    ) async throws {
        var configuration = EdgeConfiguration()
        configuration.mountsEcho = echo
        configure(&configuration)
        let (addresses, listening) = AsyncStream.makeStream(of: SocketAddress.self)
        let recorder = Recorder()
        let hooks = hooks(recorder, admission, installs: installs)
        let plain = EdgeConnections(configuration.bounds, onBound: hooks.bounded, logger: logger)
        let edge = Edge(
            configuration: configuration, connections: plain, router: router(recorder), hooks: hooks,
            group: MultiThreadedEventLoopGroup.singleton, onListening: { listening.yield($0) }, logger: logger)
        let services = ServiceGroup(services: [edge], logger: Logger(label: "edge") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await services.run() }
            for await address in addresses {
                let fixture = EdgeFixture(address: address, services: services, recorder: recorder, plain: plain)
                recorder.record { client in fixture.installed.withLock { $0.append(client) } }
                try await body(fixture)
                await fixture.disconnect()
                break
            }
            tasks.cancelAll()
        }
    }

    func connect(readsNothing: Bool = false) async throws -> RawConnection {
        let connection = try await RawConnection.connect(to: address, readsNothing: readsNothing)
        connections.withLock { $0.append(connection) }
        return connection
    }

    /// Sends a request and reads the whole answer of a connection that ends with it.
    func answer(to request: String) async throws -> RawConnection.Answer {
        let connection = try await connect()
        try await connection.send(request)
        return try await connection.lastAnswer()
    }

    /// An open WebSocket at the echo endpoint.
    func echo(readsNothing: Bool = false) async throws -> RawConnection {
        let connection = try await connect(readsNothing: readsNothing)
        try await connection.send(Self.request("/v1/echo", ["Authorization": nil, "Sec-WebSocket-Protocol": nil]))
        guard !readsNothing else { return connection }
        let answer = try await connection.head()
        #expect(answer.status == 101)
        return connection
    }

    /// A handshake that is right, but for what is replaced (or, with nil, left out).
    static func request(
        _ path: String = "/v1/ws", _ replaced: KeyValuePairs<String, String?> = [:], line: String? = nil
    ) -> String {
        var fields: [(String, String)] = [
            ("Host", "relay.example:8080"), ("Upgrade", "websocket"), ("Connection", "keep-alive, Upgrade"),
            ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Protocol", "baton.v1.json"), ("Authorization", "Bearer \(goodToken)"),
        ]
        for (name, value) in replaced {
            fields.removeAll { $0.0 == name && value == nil }
            guard let value else { continue }
            if let index = fields.firstIndex(where: { $0.0 == name }) {
                fields[index].1 = value
            } else {
                fields.append((name, value))
            }
        }
        let head = fields.map { "\($0.0): \($0.1)\r\n" }.joined()
        return "\(line ?? "GET \(path) HTTP/1.1")\r\n\(head)\r\n"
    }

    /// Begins a graceful shutdown.
    func stop() async { await services.triggerGracefulShutdown() }

    private func disconnect() async {
        for connection in connections.withLock({ $0 }) { try? await connection.close() }
    }

    private static func router(_ recorder: Recorder) -> some HTTPResponder<APIRequestContext> {
        let router = Router(context: APIRequestContext.self)
        router.get("health/live") { _, _ in "live" }
        router.get("v1/large") { request, _ in
            recorder.madeLarge()
            let bytes = request.uri.queryParameters.get("bytes", as: Int.self) ?? largeBytes
            return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(repeating: 65, count: bytes)))
        }
        router.post("v1/body") { request, _ in
            String(buffer: try await request.body.collect(upTo: Limits.Frame.requestBodyBytes))
        }
        router.get("v1/address") { _, context in context.remoteAddress ?? "none" }
        router.get("v1/hello") { request, _ in
            "hello \(request.headers[values: .init("X-Forwarded-For")!].joined(separator: "|"))"
        }
        router.get("v1/name") { request, _ in request.headers[.init("X-Name")!] ?? "none" }
        router.get("v1/seen") { request, context in
            "\(request.uri.string) \(request.head.authority ?? "") \(context.isProxied)"
        }
        router.get("v1/fails") { _, _ -> String in throw CancellationError() }
        return router.buildResponder()
    }

    private static func hooks(_ recorder: Recorder, _ admission: EdgeAdmission, installs: Bool) -> EdgeHooks {
        EdgeHooks(
            admit: { _, _ in admission },
            authenticate: { token throws(AuthenticationError) in
                switch token {
                case goodToken: return principal
                case "old": throw .expired
                default: throw .invalid
                }
            },
            install: { channel, client in
                guard installs else { throw CancellationError() }
                recorder.call(client)
                try channel.pipeline.syncOperations.addHandler(EchoHandler())
            },
            refused: { recorder.refused($0) }, bounded: { recorder.bounded($0) },
            abandoned: { recorder.abandoned() })
    }

    /// More than the kernel takes for a client that does not read.
    static let largeBytes = 32 * 1024 * 1024

    private final class Recorder: Sendable {
        private let action = Mutex<@Sendable (EdgeClient) -> Void>({ _ in })
        private let reasons = Mutex<[String]>([])
        private let met = Mutex<[ConnectionBound]>([])
        private let large = Mutex(0)
        let abandonments = AsyncStream.makeStream(of: Void.self)

        var refusals: [String] { reasons.withLock { $0 } }
        func refused(_ reason: String) { reasons.withLock { $0.append(reason) } }

        var bounds: [ConnectionBound] { met.withLock { $0 } }
        func bounded(_ bound: ConnectionBound) { met.withLock { $0.append(bound) } }

        var largeCount: Int { large.withLock { $0 } }
        func madeLarge() { large.withLock { $0 += 1 } }

        func abandoned() { abandonments.continuation.yield() }

        func record(_ action: @Sendable @escaping (EdgeClient) -> Void) { self.action.withLock { $0 = action } }

        func call(_ client: EdgeClient) { action.withLock { $0 }(client) }
    }
}
