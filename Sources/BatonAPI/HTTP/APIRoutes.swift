import BatonCore
import HTTPTypes
import Hummingbird

/// Adds the API's routes to the table of all.
struct APIRoutes {
    typealias Handler = @Sendable (Request, APIRequestContext) async throws(APIError) -> Response
    typealias AuthenticatedHandler =
        @Sendable (Request, APIRequestContext, Principal) async throws(APIError) -> Response

    private(set) var table = RouteTable()
    private let authenticator: Authenticator
    private let stoodStill: @Sendable () -> Bool

    /// - Parameter stoodStill: whether the node did so a moment ago.
    init(authenticator: Authenticator, stoodStill: @escaping @Sendable () -> Bool) {
        self.authenticator = authenticator
        self.stoodStill = stoodStill
    }

    /// For everybody.
    mutating func open(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
        add(method, path, for: .everybody, handler)
    }

    /// For active devices of users.
    mutating func authenticated(
        _ method: HTTPRequest.Method, _ path: String, _ handler: @escaping AuthenticatedHandler
    ) {
        let authenticator = authenticator
        add(method, path, for: .devices) { request, context throws(APIError) in
            let principal = try await authenticator.authenticate(request)
            return try await handler(request, context, principal)
        }
    }

    /// A request for a change that may have lain in the node while it stood still is not carried out: its client may have
    /// given it up and gone on at another node, and a change that comes late would undo what came after it.
    private mutating func add(
        _ method: HTTPRequest.Method, _ path: String, for access: RouteTable.Access, _ handler: @escaping Handler
    ) {
        let stoodStill = stoodStill
        table.add(method, path, for: access) { request, context in
            if method != .get, stoodStill() { throw APIError.stoodStill }
            return try await handler(request, context)
        }
    }
}
