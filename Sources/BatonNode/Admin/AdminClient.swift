package import AsyncHTTPClient
package import Foundation
package import NIOCore
import NIOHTTP1

/// Asks a node for what `/admin` tells: other nodes do so, and the commands.
///
/// The token goes to addresses that leases in Redis name. Who can write there could name their own, and learn no more
/// from the answers than Redis itself shows them.
package struct AdminClient: Sendable {
    /// Bytes of an answer.
    package static let answerBytes = 8 * 1024 * 1024

    private let token: AdminToken
    private let http: HTTPClient

    package init(token: AdminToken, http: HTTPClient) {
        self.token = token
        self.http = http
    }

    /// With an HTTP client of its own; to be closed.
    package init(token: AdminToken, on group: any EventLoopGroup) {
        self.init(token: token, http: Self.makeHTTP(on: group))
    }

    /// A client that follows no redirect, since the token is for nobody else, and keeps few connections.
    package static func makeHTTP(on group: any EventLoopGroup) -> HTTPClient {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4
        configuration.timeout.connect = .seconds(1)
        return HTTPClient(eventLoopGroup: group, configuration: configuration)
    }

    package func close() async { try? await http.shutdown() }

    /// - Parameters:
    ///   - path: begins with `/admin/`, with its query.
    ///   - base: `http://host:port` or, as a lease has it, `host:port`.
    package func get(_ path: String, of base: String, within patience: TimeAmount) async throws(AdminClientError)
        -> Data
    {
        let url = (base.contains("://") ? base : "http://" + base) + path
        do {
            var request = HTTPClientRequest(url: url)
            request.headers.add(name: "Authorization", value: token.authorization)
            let response = try await http.execute(request, timeout: patience)
            let body = try await response.body.collect(upTo: Self.answerBytes)
            return try Self.answer(response.status, Data(body.readableBytesView))
        } catch let error as AdminClientError {
            throw error
        } catch is NIOTooManyBytesError {
            throw .malformed
        } catch {
            throw .unreachable
        }
    }

    private static func answer(_ status: HTTPResponseStatus, _ body: Data) throws(AdminClientError) -> Data {
        switch status {
        case .ok: return body
        case .unauthorized: throw .wrongToken
        case .tooManyRequests: throw .tooManyAttempts
        case .notFound: throw .notFound
        default: throw .status(Int(status.code))
        }
    }
}

/// Why a node did not tell. The name of a case is what `/admin/cluster` says of the node.
package enum AdminClientError: Error, Hashable, CustomStringConvertible {
    /// No connection, or no answer in time.
    case unreachable
    case wrongToken
    /// Too many wrong tokens came from here.
    case tooManyAttempts
    /// There is no such thing, or `/admin` is switched off there.
    case notFound
    case status(Int)
    case malformed

    package var description: String {
        switch self {
        case .unreachable: "does not answer"
        case .wrongToken: "refuses the admin token"
        case .tooManyAttempts: "refuses more attempts for now: too many wrong tokens came from here"
        case .notFound: "has no such thing under /admin"
        case .status(let code): "answers with status \(code)"
        case .malformed: "gives an answer that cannot be read"
        }
    }
}
