import BatonCore
import HTTPTypes
import Hummingbird

/// Whom a user does not want to hear of: `/v1/blocks/{user}`. Both requests may be repeated. The nodes are told, since what
/// the two see of each other changes at once.
struct BlockRoutes: Sendable {
    let accounts: any AccountStore
    let acquaintances: any AcquaintanceAnnouncer

    func add(to routes: inout APIRoutes) {
        routes.authenticated(.put, "/v1/blocks/{user}") { [self] _, context, principal throws(APIError) in
            try await block(try other(context), by: principal.user)
        }
        routes.authenticated(.delete, "/v1/blocks/{user}") { [self] _, context, principal throws(APIError) in
            try await unblock(try other(context), by: principal.user)
        }
    }

    private func block(_ other: UserID, by user: UserID) async throws(APIError) -> Response {
        try await mapped { () throws(AccountError) in
            try await accounts.block(other, by: user)
        }
        _ = await acquaintances.announceAcquaintance(of: user, and: other)
        return Response(status: .noContent)
    }

    private func unblock(_ other: UserID, by user: UserID) async throws(APIError) -> Response {
        try await mapped { () throws(AccountError) in
            try await accounts.unblock(other, by: user)
        }
        _ = await acquaintances.announceAcquaintance(of: user, and: other)
        return Response(status: .noContent)
    }

    private func other(_ context: APIRequestContext) throws(APIError) -> UserID {
        guard let other = UserID(context.path("user")) else { throw .unknownUser }
        return other
    }
}
