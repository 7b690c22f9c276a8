import BatonCore
import BatonProtocol
import HTTPTypes
import Hummingbird

/// Messages from programs that hold no WebSocket: `POST /v1/conversations/{id}/messages`, `POST /v1/users/{user}/messages`.
///
/// They go the way of a `send` frame, with the same outcomes. The `Idempotency-Key` is the frame's `ref`: a retry with the
/// same key, here or in a WebSocket of the same device, is the same message and gets the same answer.
struct MessageRoutes: Sendable {
    let messages: any MessageSubmitter

    /// Its value is taken as it stands. Source: the IETF draft `draft-ietf-httpapi-idempotency-key-header`.
    private static let key = HTTPField.Name("Idempotency-Key")

    func add(to routes: inout APIRoutes) {
        routes.authenticated(.post, "/v1/conversations/{id}/messages") {
            [self] request, context, principal throws(APIError) in
            guard let id = ConversationID(context.path("id")) else { throw .unknownConversation }
            return try await send(request, to: .conversation(id.description), principal)
        }
        routes.authenticated(.post, "/v1/users/{user}/messages") {
            [self] request, context, principal throws(APIError) in
            guard let user = UserID(context.path("user")) else { throw .unknownUser }
            return try await send(request, to: .user(user.description), principal)
        }
    }

    private func send(
        _ request: Request, to destination: WireSend.OneOf_To, _ principal: Principal
    ) async throws(APIError) -> Response {
        var send = WireSend()
        send.ref = try ref(request)
        send.to = destination
        send.content = try await JSONBody.decode(WireContent.self, from: request)
        let accepted = try await mapped { () throws(FrameError) in
            try await messages.submit(send, by: principal)
        }
        return try JSONBody.response(accepted, status: .created)
    }

    private func ref(_ request: Request) throws(APIError) -> String {
        let keys = Self.key.map { request.headers[values: $0] } ?? []
        let allowed = "one of 1 to \(Limits.Message.refBytes) bytes, the same for each retry of this message"
        guard let key = keys.first else {
            throw APIError(.missingField, "there is no Idempotency-Key; send \(allowed)", field: "Idempotency-Key")
        }
        guard keys.count == 1, (1...Limits.Message.refBytes).contains(key.utf8.count) else {
            throw APIError(
                .invalidField,
                "the Idempotency-Key has to be \(allowed), and is \(Excerpt.quoted(keys.joined(separator: ", ")))",
                field: "Idempotency-Key")
        }
        return key
    }
}
