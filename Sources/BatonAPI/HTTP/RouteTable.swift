package import HTTPTypes
package import Hummingbird

/// All that a node answers to plain requests: the API, health, metrics and `/admin`. The router is made from it, and the
/// documentation is held against it.
package struct RouteTable: Sendable {
    package typealias Handler = @Sendable (Request, APIRequestContext) async throws -> Response

    /// Who gets an answer. For all others the path is not there, or asks for what they lack.
    package enum Access: Hashable, Sendable {
        case everybody
        /// Active devices of users, by their access token.
        case devices
        /// Those who did not come through a proxy.
        case inside
        /// Those of them who have the admin token.
        case operators
    }

    package struct Route: Sendable {
        package let method: HTTPRequest.Method
        /// `{name}` is a parameter.
        package let path: String
        package let access: Access
        fileprivate let handler: Handler

        fileprivate var isInside: Bool { access == .inside || access == .operators }
    }

    package private(set) var routes: [Route] = []

    package init() {}

    /// Routes for `inside` and `operators` are not there for requests that came through a proxy; the rest of the access is
    /// the handler's.
    package mutating func add(
        _ method: HTTPRequest.Method, _ path: String, for access: Access, _ handler: @escaping Handler
    ) {
        routes.append(Route(method: method, path: path, access: access, handler: handler))
    }

    package func router() -> Router<APIRequestContext> {
        let router = Router(context: APIRequestContext.self, options: .autoGenerateHeadEndpoints)
        // Routes take up the middlewares that are there when they are registered.
        router.add(middleware: ErrorMiddleware(routes: self))
        for route in routes {
            router.on(RouterPath(route.path), method: route.method) { request, context in
                if route.isInside, context.isProxied { throw HTTPError(.notFound) }
                return try await route.handler(request, context)
            }
        }
        return router
    }

    /// The methods of a path. Hummingbird does not tell an unknown path from an unknown method, and a client should be
    /// told.
    ///
    /// - Parameter isProxied: whether the request came through a proxy.
    /// - Returns: nil where there is no such path. A path that is spelled out goes before one with parameters.
    func methods(of path: String, isProxied: Bool) -> [HTTPRequest.Method]? {
        let segments = path.split(separator: "/")
        let matching = routes.filter { route in
            let pattern = route.path.split(separator: "/")
            return !(isProxied && route.isInside) && pattern.count == segments.count
                && zip(pattern, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        guard let best = matching.first(where: { !$0.path.contains("{") }) ?? matching.first else { return nil }
        // A path that can be read can be asked for its head.
        return matching.filter { $0.path == best.path }.flatMap { $0.method == .get ? [.get, .head] : [$0.method] }
    }
}
