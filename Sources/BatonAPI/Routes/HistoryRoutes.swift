import BatonCore
import BatonProtocol
import HTTPTypes
import Hummingbird

/// A conversation's messages, page by page in both directions: `/v1/conversations/{id}/messages`.
struct HistoryRoutes: Sendable {
    let conversations: any ConversationStore

    func add(to routes: inout APIRoutes) {
        routes.authenticated(.get, "/v1/conversations/{id}/messages") {
            [self] request, context, principal throws(APIError) in
            try await page(request, context, principal)
        }
    }

    private func page(
        _ request: Request, _ context: APIRequestContext, _ principal: Principal
    ) async throws(APIError) -> Response {
        let query = try Query(request)
        let limit = try query.limit()
        let range = try range(query)
        guard let id = ConversationID(context.path("id")) else { throw .unknownConversation }
        let found = try await mapped { () throws(StoreError) in
            try await conversations.history(
                of: id, for: principal.user, range, limit: limit, bytes: Limits.Page.bytes)
        }
        guard let found else { throw .unknownConversation }
        var page = JSONPage()
        // From the end that the client reads on from.
        let isBackwards = if case .before = range { true } else { false }
        var rest = WireHistory()
        rest.more = found.hasMore
        for message in isBackwards ? found.items.reversed() : found.items {
            guard try page.add(try WireMessage(stored: message)) else {
                rest.more = true
                break
            }
        }
        if isBackwards { page.reverse() }
        return try page.response("messages", rest: rest)
    }

    private func range(_ query: Query) throws(APIError) -> HistoryRange {
        let before = try query.sequence("before", from: 1)
        let after = try query.sequence("after", from: 0)
        switch (before, after) {
        case (_?, _?): throw .invalid("after", "cannot be combined with \"before\"")
        case (nil, let after?): return .after(after)
        case (let before, nil): return .before(before)
        }
    }
}
