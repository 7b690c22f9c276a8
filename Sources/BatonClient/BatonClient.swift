import AsyncHTTPClient
import BatonCore
import BatonProtocol
import DequeModule
import Logging
public import NIOCore
public import NIOPosix
import NIOSSL

/// A device of a user: keeps a connection to the relay, sends, and delivers what arrives.
///
/// - A message that `send` or `enqueue` took is sent until the relay accepts or refuses it, over reconnects and, with
///   a state file, restarts; never twice, and in order within its conversation.
/// - Every entry of the inbox comes once, in order, through ``events``. Asking for the next event says that the one
///   before is applied: only then it is acknowledged. An application that falls behind is not flooded: the relay waits.
/// - Tokens are refreshed, connections made again, servers changed, without being asked.
///
/// The actor runs on one event loop, its connection's own.
public actor BatonClient {
    enum Phase {
        case idle
        /// An attempt is under way; tokens or a connection are awaited.
        case connecting
        case connected(NIOLoopBound<RelayChannelHandler<ClientLink>>, since: NIODeadline)
        case waiting(Attempt)
        case closed
    }

    /// One that is to come.
    struct Attempt {
        let at: Duration
        /// Not before, also where the user acts.
        let notBefore: Duration
        let refreshFirst: Bool
        /// Why there is no connection.
        let why: String
    }

    enum Waiter {
        case expected
        case waiting(CheckedContinuation<Result<AcceptedMessage, ClientError>, Never>)
        case settled(Result<AcceptedMessage, ClientError>)
    }

    struct QueuedEvent {
        let event: ClientEvent
        /// Its place in the inbox, for entries of it.
        var sequence: UInt64?
    }

    /// Events that wait for the application above which no more messages are sent and no notices are kept.
    static let queuedEvents = 1_024

    /// How this client was set up.
    public nonisolated let configuration: ClientConfiguration
    nonisolated let eventLoop: any EventLoop
    private nonisolated let executor: any SerialExecutor
    nonisolated let http: HTTPClient
    nonisolated let rest: RelayREST
    nonisolated let connector: RelayConnector
    nonisolated let writer: StateWriter

    var tokens: Tokens?
    var accessExpires: NIODeadline?
    var refreshing: EventLoopFuture<Tokens>?
    /// Whose messages wait in the outbox; nil where nobody has logged in yet.
    var outboxOwner: UserID?
    var session: ClientSession
    var policy: ReconnectPolicy
    var generator: RandomSource
    var phase = Phase.idle
    /// The TCP connection, until its handshake is done.
    var connecting: (any Channel)?
    var connectionNumber: UInt64 = 0
    /// The connection, or attempt, whose end the observer was not told yet.
    var observedConnection: UInt64?
    var addressIndex = 0
    var isWanted = false
    /// The device as which this client is counted among those of the process that are to be connected.
    var claimed: DeviceID?
    var goAway: Duration?
    var welcomedAt: NIODeadline?
    var lastHeard = NIODeadline.now()
    var timer: Scheduled<Void>?
    var heartbeat: RepeatedTask?
    var retry: (at: Duration, task: Scheduled<Void>)?
    var ackTimer: Scheduled<Void>?
    var watched: [UserID] = []

    var queue: Deque<QueuedEvent> = []
    /// The entry of the inbox that the application works on.
    var taken: UInt64?
    var consumer: CheckedContinuation<ClientEvent?, Never>?
    var waiters: [String: Waiter] = [:]
    var stateListeners: [UInt64: AsyncStream<ConnectionState>.Continuation] = [:]
    var nextListener: UInt64 = 0
    /// How the client stands to the relay now.
    public internal(set) var state = ConnectionState.offline(.requested)

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Opens the state file, if there is one. Nothing is connected yet.
    public init(
        _ configuration: ClientConfiguration,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws(ClientError) {
        let file: StateFile? =
            if let path = configuration.stateFile { try StateFile(path: path) } else { nil }
        let tls = try Self.tlsConfiguration(configuration)
        let loop = group.next()
        self.configuration = configuration
        generator = configuration.seed.map { RandomSource(seed: $0) } ?? .system
        policy = ReconnectPolicy(cap: configuration.longestReconnectWait)
        eventLoop = loop
        executor = loop.executor
        var httpConfiguration = HTTPClient.Configuration(tlsConfiguration: tls.configuration)
        httpConfiguration.timeout.connect = .seconds(5)
        httpConfiguration.redirectConfiguration = .disallow
        http = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: httpConfiguration)
        rest = RelayREST(http: http, on: loop, addresses: configuration.addresses)
        connector = RelayConnector(on: loop, tls: tls.context, encoding: configuration.encoding)
        writer = StateWriter(file: file, on: loop)

        let contents = file?.contents ?? StateContents()
        tokens = contents.tokens.flatMap { Tokens($0) }
        var bounds = Outbox.Bounds()
        bounds.messages = configuration.outboxMessages
        bounds.bytes = configuration.outboxBytes
        bounds.inFlightPerLane = max(1, configuration.inFlightPerConversation)
        session = ClientSession(position: contents.position, bounds: bounds)
        // Also where the token was issued, and is not kept: messages go into the lanes that they were in.
        let user = contents.user.flatMap { UserID($0) }
        outboxOwner = user
        for send in contents.messages {
            _ = session.outbox.enqueue(OutboxMessage(send), lane: Self.lane(of: send, sender: user))
        }
    }

    /// Ends the client: the connection is closed, ``events`` ends, the state file is released. What waits in the
    /// outbox stays in the file.
    public func close() async {
        if case .closed = phase { return }
        isWanted = false
        claim(nil)
        endConnection()
        phase = .closed
        cancelTimers()
        consumer?.resume(returning: nil)
        consumer = nil
        for ref in waiters.keys { settle(ref, .failure(.closed)) }
        change(to: .offline(.requested))
        for listener in stateListeners.values { listener.finish() }
        stateListeners = [:]
        await writer.close()
        do {
            try await http.shutdown()
        } catch {
            configuration.logger.debug("http client was not shut down", metadata: ["error": "\(error)"])
        }
    }

    /// The certificates to trust. The context is made only where an address needs it: it reads the system's store.
    private static func tlsConfiguration(
        _ configuration: ClientConfiguration
    ) throws(ClientError) -> (configuration: TLSConfiguration, context: NIOSSLContext?) {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        do {
            if let path = configuration.trustedCertificates {
                tls.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(path))]
            }
            guard configuration.addresses.contains(where: \.usesTLS) else { return (tls, nil) }
            return (tls, try NIOSSLContext(configuration: tls))
        } catch {
            throw .unreachable("TLS cannot be set up: \(error)")
        }
    }
}
