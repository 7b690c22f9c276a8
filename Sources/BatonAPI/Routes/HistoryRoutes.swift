import BatonCore
import BatonProtocol
import HTTPTypes
import Hummingbird

/// A conversation's messages, page by page in both directions: `/v1/conversations/{id}/messages`.
struct HistoryRoutes: Sendable {
    let conversations: any ConversationStore

    func add(to table: inout RouteTable) {
        table.authenticated(.get, "/v1/conversations/{id}/messages") {
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
        let found: [StoredMessage]?
        do {
            // One more than asked for tells whether there are others behind.
            found = try await conversations.history(of: id, for: principal.user, range, limit: limit + 1)
        } catch {
            throw APIError(error)
        }
        guard let found else { throw .unknownConversation }
        let messages = HistoryPage.cut(found, range, limit: limit, bytes: Limits.Store.pageBytes)
        var body = WireHistory()
        for message in messages { body.messages.append(try WireMessage(stored: message)) }
        body.more = messages.count < found.count
        return try JSONBody.response(body)
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

/// How many of the messages found go into one answer.
enum HistoryPage {
    /// - Returns: at most `limit` of them and at most so many bytes of payload, but one at least, from the end that the
    ///   client reads on from.
    static func cut(
        _ found: [StoredMessage], _ range: HistoryRange, limit: Int, bytes: Int
    ) -> ArraySlice<StoredMessage> {
        var (count, total) = (0, 0)
        func fits(_ message: StoredMessage) -> Bool {
            total += message.payload.count
            count += 1
            return count <= limit && (total <= bytes || count == 1)
        }
        switch range {
        case .after: return found.prefix(while: fits)
        case .before:
            let kept = found.reversed().prefix(while: fits).count
            return found.suffix(kept)
        }
    }
}
