import BatonCore
import BatonProtocol
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Gives all errors, also the framework's, the one JSON form; and gives all answers the headers that they need.
///
/// What went wrong inside is logged and never told.
struct ErrorMiddleware: RouterMiddleware {
    let routes: RouteTable

    func handle(
        _ request: Request, context: APIRequestContext,
        next: @concurrent (Request, APIRequestContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            let answer = describe(error, request, context)
            var body = WireErrorResponse()
            body.error = answer.error
            response = try JSONBody.response(
                body, status: HTTPResponse.Status(code: answer.code.httpStatus), headers: answer.headers)
        }
        for (name, value) in Self.headers where response.headers[name] == nil { response.headers[name] = value }
        return response
    }

    private static let headers: [(HTTPField.Name, String)] = [
        // Tokens and private words: nothing of it belongs into a cache.
        (.cacheControl, "no-store"),
        (.xContentTypeOptions, "nosniff"),
        (.contentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'"),
        (.referrerPolicy, "no-referrer"),
    ]

    private func describe(_ error: any Error, _ request: Request, _ context: APIRequestContext) -> APIError {
        if let error = error as? APIError {
            if error.code == .internalError { context.logger.error("request failed inside") }
            return error
        }
        if let error = error as? any HTTPResponseError {
            switch error.status {
            case .notFound: return unknownRoute(request, context)
            case .contentTooLarge:
                return APIError(.tooLarge, "the body has more than \(Limits.Frame.requestBodyBytes) bytes")
            case .badRequest: return APIError(.malformedFrame, "the request is malformed")
            default: break
            }
        }
        context.logger.error(
            "request failed inside",
            metadata: ["method": "\(request.method)", "error": "\(String(describing: type(of: error)))"])
        return .internalError
    }

    private func unknownRoute(_ request: Request, _ context: APIRequestContext) -> APIError {
        guard let allowed = routes.methods(of: request.uri.path, isProxied: context.isProxied) else {
            return APIError(.notFound, "there is no such path")
        }
        let list = allowed.map(\.rawValue).joined(separator: ", ")
        var error = APIError(.methodNotAllowed, "this path has \(list)")
        error.headers[.allow] = list
        return error
    }
}

extension HTTPField.Name {
    fileprivate static let referrerPolicy = Self("Referrer-Policy")!
}
