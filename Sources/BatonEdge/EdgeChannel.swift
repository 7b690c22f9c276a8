import BatonCore
import BatonGateway
import BatonProtocol
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// One connection of the shared port: set up as HTTP, it becomes Hummingbird's or a WebSocket with its first request.
///
/// Each has a task until then; a WebSocket keeps none.
struct EdgeChannel: HTTPChannelHandler {
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let outcome: EventLoopFuture<Outcome>
    }

    enum Outcome: Sendable {
        case plain(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>, CurrentClient)
        case handshake(Handshake)
        case ended
    }

    /// A handshake that is good but for its token.
    struct Handshake: Sendable {
        let gate: NIOLoopBound<EdgeGate>
        let token: String
        let subprotocol: Subprotocol
        let address: String
    }

    let configuration: EdgeConfiguration
    let hooks: EdgeHooks
    let connections: EdgeConnections
    /// Of plain requests, on a connection whose client is known.
    private(set) var responder: HTTPChannelHandler.Responder
    private let respond: Respond

    /// Answers a plain request of a client.
    typealias Respond = @Sendable (Request, any Channel, EdgeOrigin) async throws -> Response

    init(
        configuration: EdgeConfiguration, hooks: EdgeHooks, connections: EdgeConnections, respond: @escaping Respond
    ) {
        self.configuration = configuration
        self.hooks = hooks
        self.connections = connections
        self.respond = respond
        responder = Self.responder(respond) { $0.peerOrigin }
    }

    private static func responder(
        _ respond: @escaping Respond, _ client: @escaping @Sendable (any Channel) -> EdgeOrigin
    ) -> HTTPChannelHandler.Responder {
        { request, writer, channel in
            let response = try await respond(request, channel, client(channel))
            try await writer.write(response: response.head, body: response.body)
        }
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let promise = channel.eventLoop.makePromise(of: Outcome.self)
            let encoder = HTTPResponseEncoder()
            let decoder = RequestDecoding.handler()
            let gate = EdgeGate(
                actions: actions(channel, promise), encoder: encoder, decoder: decoder,
                handshakeTime: .seconds(configuration.handshakeSeconds))
            do {
                try channel.pipeline.syncOperations.addHandlers([encoder, decoder, gate])
            } catch {
                promise.succeed(.ended)
                throw error
            }
            return Value(channel: channel, outcome: promise.futureResult)
        }
    }

    func handle(value: Value, logger: Logger) async {
        switch (try? await value.outcome.get()) ?? .ended {
        case .plain(let channel, let client):
            var connection = self
            connection.responder = Self.responder(respond) { _ in client.origin }
            await connection.handleHTTP(asyncChannel: channel, logger: logger)
        case .handshake(let handshake):
            await authenticate(handshake, on: value.channel)
        case .ended:
            break
        }
    }

    private func actions(_ channel: any Channel, _ promise: EventLoopPromise<Outcome>) -> EdgeGate.Actions {
        EdgeGate.Actions(
            opened: { connections.opened(channel, address: configuration.trustedProxies.client(channel)) },
            policy: policy,
            admit: { admit($0, on: channel) },
            servePlainly: {
                let client = CurrentClient(channel.peerOrigin)
                promise.succeed(.plain(try serveHTTP(on: channel, client), client))
            },
            authenticate: { gate, accepted, head in
                guard let token = accepted.token, let subprotocol = accepted.subprotocol else {
                    promise.succeed(.ended)
                    return gate.upgrade(install: installEcho)
                }
                let address = configuration.trustedProxies.client(channel, head.headers).address
                let gate = NIOLoopBound(gate, eventLoop: channel.eventLoop)
                promise.succeed(
                    .handshake(Handshake(gate: gate, token: token, subprotocol: subprotocol, address: address)))
            },
            refused: { refusal in
                connections.ending(channel)
                hooks.refused(refusal.error.code)
            },
            ended: { promise.succeed(.ended) })
    }

    /// - Returns: why there is no room for one more WebSocket.
    private func admit(_ head: HTTPRequestHead, on channel: any Channel) -> HandshakeRefusal? {
        let address = configuration.trustedProxies.client(channel, head.headers).address
        if case .refused(let milliseconds) = hooks.admit(channel.eventLoop, connections.upgrading) {
            connections.admissionRefused(address, on: channel.eventLoop)
            return .overloaded(retryAfterMilliseconds: milliseconds)
        }
        return connections.admitted(channel, address: address)
    }

    private func policy(_ uri: String) -> WebSocketHandshake.Policy? {
        switch EdgeEndpoint(uri: uri) {
        case .relay: WebSocketHandshake.Policy(origins: configuration.origins)
        case .echo where configuration.mountsEcho:
            WebSocketHandshake.Policy(origins: configuration.origins, isAuthenticated: false)
        case .echo, nil: nil
        }
    }

    private func serveHTTP(
        on channel: any Channel, _ client: CurrentClient
    ) throws -> NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart> {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(
            PlainHTTPHandler(
                proxies: configuration.trustedProxies, client: client, times: times, actions: plainActions(channel),
                now: channel.eventLoop.now))
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
        return try NIOAsyncChannel(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }

    private var times: PlainHTTPHandler.Times {
        PlainHTTPHandler.Times(
            idle: .seconds(configuration.idleSeconds), request: .seconds(configuration.requestSeconds),
            answer: .seconds(configuration.answerSeconds), answerBytesPerSecond: configuration.answerBytesPerSecond)
    }

    private func plainActions(_ channel: any Channel) -> PlainHTTPHandler.Actions {
        PlainHTTPHandler.Actions(
            ask: { connections.asked(channel, address: $0, isReserved: $1) },
            answered: { connections.answered(channel) },
            refused: { refusal in
                connections.ending(channel)
                hooks.refused(refusal.error.code)
            },
            abandoned: hooks.abandoned)
    }

    // MARK: WebSockets

    private func authenticate(_ handshake: Handshake, on channel: any Channel) async {
        let verdict: Result<Principal, HandshakeRefusal>
        do throws(AuthenticationError) {
            verdict = .success(try await hooks.authenticate(handshake.token))
        } catch {
            verdict = .failure(HandshakeRefusal(error))
        }
        channel.eventLoop.execute {
            switch verdict {
            case .failure(let refusal):
                handshake.gate.value.refuse(refusal)
            case .success(let principal):
                let client = EdgeClient(
                    principal: principal, subprotocol: handshake.subprotocol, address: handshake.address)
                handshake.gate.value.upgrade { installRelay($0, client) }
            }
        }
    }

    private func installRelay(_ channel: any Channel, _ client: EdgeClient) {
        install(on: channel) { try hooks.install(channel, client) }
    }

    private func installEcho(_ channel: any Channel) {
        install(on: channel) { try channel.pipeline.syncOperations.addHandler(EchoHandler()) }
    }

    private func install(on channel: any Channel, _ addHandlers: () throws -> Void) {
        connections.upgraded(channel)
        do {
            try channel.pipeline.syncOperations.addHandler(WebSocketHandler(bounds: configuration.frameBounds))
            try addHandlers()
        } catch {
            channel.write(
                WebSocketOutbound.close(.internalError, "the node could not take the connection"), promise: nil)
        }
    }
}

extension HandshakeRefusal {
    /// What a token that is not taken is for the client.
    init(_ error: AuthenticationError) {
        switch error {
        case .missing: self = .unauthenticated("send the access token as Authorization: Bearer")
        case .invalid: self = .unauthenticated("the access token is not valid")
        case .expired: self = .tokenExpired
        }
    }
}
