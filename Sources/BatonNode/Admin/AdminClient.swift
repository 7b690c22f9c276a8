package import AsyncHTTPClient
package import Foundation
package import NIOCore
package import NIOHTTP1
import Synchronization

/// Asks a node for what `/admin` tells: other nodes do so, and the commands. The token itself is not sent (`AdminProof`).
package struct AdminClient: Sendable {
    /// Bytes of an answer.
    package static let answerBytes = 8 * 1024 * 1024

    private let token: AdminToken
    private let http: HTTPClient
    private let challenges = Challenges()

    package init(token: AdminToken, http: HTTPClient) {
        self.token = token
        self.http = http
    }

    /// With an HTTP client of its own; to be closed.
    package init(token: AdminToken, on group: any EventLoopGroup) {
        self.init(token: token, http: Self.makeHTTP(on: group))
    }

    /// Follows no redirects, since the token is for the asked node only, and keeps few connections.
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
        let answer = try await ask(.GET, path, of: base, within: patience)
        return try Self.answer(answer.status, answer.body)
    }

    /// - Returns: whatever the node answers.
    package func ask(
        _ method: HTTPMethod, _ path: String, of base: String, within patience: TimeAmount
    ) async throws(AdminClientError) -> (status: HTTPResponseStatus, body: Data) {
        let deadline = NIODeadline.now() + patience
        if let challenge = challenges.known(for: base) {
            let answer = try await ask(method, path, of: base, challenge, before: deadline)
            // It may have been started anew since.
            if answer.status != .unauthorized { return answer }
        }
        let (status, body) = try await execute(HTTPClientRequest(url: Self.url(AdminProof.path, of: base)), deadline)
        guard let made = try? JSONDecoder().decode(AdminProof.Challenge.self, from: Self.answer(status, body)) else {
            throw status == .ok ? .malformed : .notFound
        }
        challenges.learned(made.challenge, for: base)
        return try await ask(method, path, of: base, made.challenge, before: deadline)
    }

    private func ask(
        _ method: HTTPMethod, _ path: String, of base: String, _ challenge: String, before deadline: NIODeadline
    ) async throws(AdminClientError) -> (status: HTTPResponseStatus, body: Data) {
        var request = HTTPClientRequest(url: Self.url(path, of: base))
        request.method = method
        let address = Self.address(of: base)
        request.headers.replaceOrAdd(name: "Host", value: address)
        request.headers.add(
            name: "Authorization",
            value: token.proof(
                of: AdminProof.Request(
                    method: method.rawValue, path: path, address: address, challenge: challenge)))
        return try await execute(request, deadline)
    }

    private func execute(
        _ request: HTTPClientRequest, _ deadline: NIODeadline
    ) async throws(AdminClientError) -> (status: HTTPResponseStatus, body: Data) {
        do {
            let response = try await http.execute(request, deadline: deadline)
            let body = try await response.body.collect(upTo: Self.answerBytes)
            return (response.status, Data(body.readableBytesView))
        } catch is NIOTooManyBytesError {
            throw .malformed
        } catch {
            throw .unreachable
        }
    }

    private static func url(_ path: String, of base: String) -> String {
        (base.contains("://") ? base : "http://" + base) + path
    }

    /// As it stands in the `Host` field.
    private static func address(of base: String) -> String {
        let start = base.firstRange(of: "://")?.upperBound ?? base.startIndex
        return String(base[start...].prefix { $0 != "/" })
    }

    /// The last challenge of each node that was asked.
    private final class Challenges: Sendable {
        private let known = Mutex<[String: (challenge: String, until: NIODeadline)]>([:])

        func known(for base: String) -> String? {
            known.withLock { known in known[base].flatMap { $0.until > .now() ? $0.challenge : nil } }
        }

        /// Good here for half of its time, so that it is still good when it arrives.
        func learned(_ challenge: String, for base: String) {
            known.withLock { known in
                if known.count >= AdminPeers.nodes, known[base] == nil { known = [:] }
                known[base] = (challenge, .now() + .seconds(AdminProof.challengeSeconds / 2))
            }
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
        case .wrongToken: "refuses the admin token, or this address of it"
        case .tooManyAttempts: "refuses more attempts for now: too many wrong tokens came from here"
        case .notFound: "has no such thing under /admin: it is older, or admin.enabled is false"
        case .status(let code): "answers with status \(code)"
        case .malformed: "gives an answer that cannot be read"
        }
    }
}
