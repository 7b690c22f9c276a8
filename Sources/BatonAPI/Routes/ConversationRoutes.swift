import BatonCore
import BatonProtocol
import HTTPTypes
import Hummingbird

/// The conversations of the asking user: `/v1/conversations`.
struct ConversationRoutes: Sendable {
    let conversations: any ConversationStore

    func add(to routes: inout APIRoutes) {
        routes.authenticated(.get, "/v1/conversations") { [self] request, _, principal throws(APIError) in
            try await list(request, principal)
        }
        routes.authenticated(.get, "/v1/conversations/{id}") { [self] _, context, principal throws(APIError) in
            try await show(context, principal)
        }
    }

    private func list(_ request: Request, _ principal: Principal) async throws(APIError) -> Response {
        let query = try Query(request)
        let limit = try query.limit()
        let before: ConversationCursor?
        if let text = query.text("before") {
            guard let cursor = PageCursor.decode(text) else {
                throw .invalid("before", "is what an earlier page gave as \"next\"")
            }
            before = cursor
        } else {
            before = nil
        }
        let found = try await mapped { () throws(StoreError) in
            try await conversations.conversations(
                of: principal.user, before: before, limit: limit, bytes: Limits.Page.bytes)
        }
        var page = JSONPage()
        var last: ConversationSummary?
        var hasMore = found.hasMore
        for summary in found.items {
            guard try page.add(try WireConversation(summary)) else {
                hasMore = true
                break
            }
            last = summary
        }
        var rest = WireConversationList()
        if hasMore, let last {
            rest.next = PageCursor.encode(ConversationCursor(at: last.at, conversation: last.id))
        }
        return try page.response("conversations", rest: rest)
    }

    private func show(
        _ context: APIRequestContext, _ principal: Principal
    ) async throws(APIError) -> Response {
        guard let id = ConversationID(context.path("id")) else { throw .unknownConversation }
        let summary = try await mapped { () throws(StoreError) in
            try await conversations.conversation(id, of: principal.user)
        }
        guard let summary else { throw .unknownConversation }
        return try JSONBody.response(try WireConversation(summary))
    }
}

/// A place in the list of conversations, as clients carry it around: base 64, so that nobody takes it apart.
enum PageCursor {
    static func encode(_ cursor: ConversationCursor) -> String {
        Base64.url(Array("\(cursor.at.milliseconds) \(cursor.conversation)".utf8))
    }

    static func decode(_ text: String) -> ConversationCursor? {
        guard text.utf8.count <= 128, let bytes = Base64.decodeURL(text) else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = Int64(parts[0]), milliseconds >= 0,
            let conversation = ConversationID(String(parts[1]))
        else { return nil }
        return ConversationCursor(at: Timestamp(milliseconds: milliseconds), conversation: conversation)
    }
}
