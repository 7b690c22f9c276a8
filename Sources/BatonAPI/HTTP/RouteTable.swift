import BatonCore
import Foundation
import HTTPTypes
import Hummingbird

/// Registers the routes, and remembers which methods each path has: Hummingbird does not tell an unknown path from an
/// unknown method, and a client should be told.
struct RouteTable {
    typealias Handler = @Sendable (Request, APIRequestContext) async throws(APIError) -> Response
    typealias AuthenticatedHandler =
        @Sendable (Request, APIRequestContext, Principal) async throws(APIError) -> Response

    private let router: Router<APIRequestContext>
    private let authenticator: Authenticator
    private let stoodStill: @Sendable () -> Bool
    private(set) var methods = MethodCatalogue()

    /// - Parameter stoodStill: whether the node did so a moment ago.
    init(
        router: Router<APIRequestContext>, authenticator: Authenticator, stoodStill: @escaping @Sendable () -> Bool
    ) {
        self.router = router
        self.authenticator = authenticator
        self.stoodStill = stoodStill
    }

    /// For everybody.
    ///
    /// A request for a change that may have lain in the node while it stood still is not carried out: its client may have
    /// given it up and gone on at another node, and a change that comes late would undo what came after it.
    mutating func open(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
        methods.add(method, path)
        let stoodStill = stoodStill
        router.on(RouterPath(path), method: method) { request, context in
            if method != .get, stoodStill() { throw APIError.stoodStill }
            return try await handler(request, context)
        }
    }

    /// For active devices of users.
    mutating func authenticated(
        _ method: HTTPRequest.Method, _ path: String, _ handler: @escaping AuthenticatedHandler
    ) {
        let authenticator = self.authenticator
        open(method, path) { request, context throws(APIError) in
            let principal = try await authenticator.authenticate(request)
            return try await handler(request, context, principal)
        }
    }
}

/// Which methods a path has.
struct MethodCatalogue: Sendable {
    private var entries: [(pattern: [Substring], methods: [HTTPRequest.Method])] = []

    mutating func add(_ method: HTTPRequest.Method, _ path: String) {
        let pattern = path.split(separator: "/")
        // A path that can be read can be asked for its head.
        let methods = method == .get ? [method, .head] : [method]
        if let index = entries.firstIndex(where: { $0.pattern == pattern }) {
            entries[index].methods += methods
        } else {
            entries.append((pattern, methods))
        }
    }

    /// - Returns: nil where there is no such path. A path that is spelled out goes before one with parameters.
    func methods(of path: String) -> [HTTPRequest.Method]? {
        let segments = path.split(separator: "/")
        let matching = entries.filter { entry in
            entry.pattern.count == segments.count
                && zip(entry.pattern, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        let literal = matching.first { !$0.pattern.contains { $0.hasPrefix("{") } }
        return (literal ?? matching.first)?.methods
    }
}
