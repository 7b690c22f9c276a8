import BatonAPI
import BatonGateway
import BatonProtocol
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// Answers plain requests through a Hummingbird router: what `Hummingbird.Application` does around it, and the errors
/// that are the edge's own.
struct EdgeResponder<Router: HTTPResponder>: Sendable
where Router.Context: InitializableFromSource<ApplicationRequestContextSource> {
    let router: Router
    let mountsEcho: Bool
    let logger: Logger

    func respond(
        to request: Request, on channel: any Channel, from client: EdgeOrigin
    ) async throws -> Response {
        var response = try await answer(to: request, on: channel, from: client)
        response.headers[.date] = HTTPDate.now()
        return response
    }

    private func answer(
        to request: Request, on channel: any Channel, from client: EdgeOrigin
    ) async throws -> Response {
        if let endpoint = EdgeEndpoint(uri: request.uri.path), endpoint == .relay || mountsEcho {
            return Response(
                HandshakeRefusal(
                    .upgradeRequired, "a WebSocket begins with the first request of a connection", field: "Upgrade"
                ).with("Upgrade", "websocket"))
        }
        var logger = logger
        logger[metadataKey: "hb.request.id"] = .stringConvertible(RequestID())
        do {
            let source = ApplicationRequestContextSource(channel: channel, logger: logger)
            let context = addressed(Router.Context(source: source), client)
            return try await router.respond(to: request, context: context)
        } catch let error as HTTPParserError {
            // The body broke off; the channel answers that.
            throw error
        } catch {
            logger.error("request failed", metadata: ["error": "\(error)"])
            return Response(HandshakeRefusal(.internalError, "the node failed to answer"))
        }
    }
}

/// The same context, which knows the client as the edge does.
private func addressed<Context>(_ context: Context, _ client: EdgeOrigin) -> Context {
    guard var addressed = context as? any AddressedContext else { return context }
    addressed.remoteAddress = client.address
    addressed.isProxied = client.isProxied
    return addressed as? Context ?? context
}

extension Response {
    /// A refusal of the edge as the router's answers are.
    init(_ refusal: HandshakeRefusal) {
        let (head, body) = refusal.answer()
        var fields = HTTPFields()
        for (name, value) in head.headers where name.lowercased() != "content-length" {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        self.init(
            status: HTTPResponse.Status(code: Int(head.status.code)), headers: fields,
            body: ResponseBody(byteBuffer: body))
    }
}
