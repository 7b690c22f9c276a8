package import AsyncHTTPClient
import BatonProtocol
import Foundation
package import NIOCore
package import NIOHTTP1
import NIOPosix
package import SwiftProtobuf
import Synchronization

/// Requests to the relay's REST routes, in proto3 JSON. Servers are tried in turn.
package final class RelayREST: Sendable {
    /// Bytes of an answer.
    private static let answerBytes = 16 * 1024 * 1024
    /// How long a server may take for an answer.
    package static let timeout: TimeAmount = .seconds(15)

    private let http: HTTPClient
    private let eventLoop: any EventLoop
    private let addresses: [RelayAddress]
    private let timeout: TimeAmount
    /// The address that answered last, or the one behind that which failed last.
    private let preferred = Mutex(0)

    package init(
        http: HTTPClient, on eventLoop: any EventLoop, addresses: [RelayAddress],
        timeout: TimeAmount = RelayREST.timeout
    ) {
        self.http = http
        self.eventLoop = eventLoop
        self.addresses = addresses
        self.timeout = timeout
    }

    /// One request. The future fails with a `ClientError`.
    ///
    /// - Parameter mayRepeat: whether the request says the same when it is carried out twice, as reading does, so that
    ///   another server may be asked where one does not answer.
    package func call<Answer: SwiftProtobuf.Message>(
        _ method: HTTPMethod, _ path: String, body: (any SwiftProtobuf.Message)? = nil, accessToken: String? = nil,
        mayRepeat: Bool = false, answer: Answer.Type
    ) -> EventLoopFuture<Answer> {
        let start = preferred.withLock { $0 }
        do {
            let bytes: [UInt8]? = try body.map { try WireJSON.encode($0) }
            let request = Request(
                method: method, path: path, body: bytes, token: accessToken, mayRepeat: mayRepeat || method == .GET)
            return attempt(0, from: start, request).flatMapThrowing { response in
                try Self.decode(response, as: answer)
            }
        } catch {
            return eventLoop.makeFailedFuture(ClientError.invalidMessage("not encodable: \(error)"))
        }
    }

    /// The same for async code.
    package func request<Answer: SwiftProtobuf.Message>(
        _ method: HTTPMethod, _ path: String, body: (any SwiftProtobuf.Message)? = nil, accessToken: String? = nil,
        answer: Answer.Type
    ) async throws(ClientError) -> Answer {
        do {
            return try await call(method, path, body: body, accessToken: accessToken, answer: answer).get()
        } catch {
            throw error as? ClientError ?? .unreachable(String(describing: error))
        }
    }

    private struct Request: Sendable {
        let method: HTTPMethod
        let path: String
        let body: [UInt8]?
        let token: String?
        let mayRepeat: Bool
    }

    /// Tries the servers from `start` on. The next one only where this one cannot have acted on the request, or may have.
    private func attempt(_ number: Int, from start: Int, _ request: Request) -> EventLoopFuture<HTTPClient.Response> {
        guard number < addresses.count else {
            return eventLoop.makeFailedFuture(ClientError.unreachable("there is no server address"))
        }
        let index = (start + number) % addresses.count
        return execute(request, at: addresses[index]).map { response in
            self.preferred.withLock { $0 = index }
            return response
        }.flatMapError { error in
            // One that stands still takes all the time there is; the next request is not to wait for it too.
            self.preferred.withLock { $0 = (index + 1) % self.addresses.count }
            guard number + 1 < self.addresses.count, request.mayRepeat || Self.isConnectFailure(error) else {
                return self.eventLoop.makeFailedFuture(
                    error as? ClientError ?? .unreachable("\(self.addresses[index]): \(ConnectFailure.text(error))"))
            }
            return self.attempt(number + 1, from: start, request)
        }
    }

    private func execute(_ request: Request, at address: RelayAddress) -> EventLoopFuture<HTTPClient.Response> {
        do {
            var headers = HTTPHeaders()
            if request.body != nil { headers.add(name: "Content-Type", value: "application/json") }
            if let token = request.token { headers.add(name: "Authorization", value: "Bearer \(token)") }
            let request = try HTTPClient.Request(
                url: "\(address)\(request.path)", method: request.method, headers: headers,
                body: request.body.map { .bytes($0) })
            let accumulator = ResponseAccumulator(request: request, maxBodySize: Self.answerBytes)
            return http.execute(
                request: request, delegate: accumulator, eventLoop: .delegateAndChannel(on: eventLoop),
                deadline: .now() + timeout
            ).futureResult.hop(to: eventLoop)
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
    }

    private static func decode<Answer: SwiftProtobuf.Message>(
        _ response: HTTPClient.Response, as answer: Answer.Type
    ) throws(ClientError) -> Answer {
        let bytes = response.body.map { Array($0.readableBytesView) } ?? []
        guard (200..<300).contains(response.status.code) else {
            let error = try? WireJSON.decode(WireErrorResponse.self, from: bytes)
            throw .refused(RelayError(error?.error ?? WireError(), status: Int(response.status.code)))
        }
        guard !bytes.isEmpty else { return Answer() }
        do {
            return try WireJSON.decode(answer, from: bytes)
        } catch {
            throw .badAnswer("\(Answer.protoMessageName): \(error.message)")
        }
    }

    /// Whether the request cannot have reached the server.
    private static func isConnectFailure(_ error: any Error) -> Bool {
        if error is NIOConnectionError { return true }
        return error as? HTTPClientError == .connectTimeout
    }
}
