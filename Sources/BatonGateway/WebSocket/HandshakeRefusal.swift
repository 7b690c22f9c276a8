package import BatonProtocol
package import NIOCore
package import NIOHTTP1

/// Why a request is not answered as it wishes: always with a status and an error of the catalogue, never by silence.
package struct HandshakeRefusal: Error, Hashable, Sendable {
    package var status: HTTPResponseStatus
    package var error: WireError
    package var headers: [Header] = []

    package struct Header: Hashable, Sendable {
        package var name: String
        package var value: String
    }

    package init(
        _ code: ErrorCode, _ message: String, field: String = "", status: HTTPResponseStatus? = nil,
        retryAfterMilliseconds: UInt32 = 0
    ) {
        error = WireError(code, message, field: field, retryAfterMilliseconds: retryAfterMilliseconds)
        self.status = status ?? HTTPResponseStatus(statusCode: code.httpStatus)
        if retryAfterMilliseconds > 0 {
            // The header knows whole seconds only.
            add("Retry-After", "\((retryAfterMilliseconds + 999) / 1_000)")
        }
    }

    /// The same refusal with one more header.
    package func with(_ name: String, _ value: String) -> Self {
        var refusal = self
        refusal.add(name, value)
        return refusal
    }

    private mutating func add(_ name: String, _ value: String) {
        headers.append(Header(name: name, value: value))
    }

    /// The whole answer. The connection ends with it, because what follows a refused handshake may be anything.
    package func answer() -> (head: HTTPResponseHead, body: ByteBuffer) {
        var response = WireErrorResponse()
        response.error = error
        // A message of plain strings and numbers always has a JSON form.
        let body = ByteBuffer(bytes: (try? FrameCodec.encode(response, as: .json)) ?? [])
        var fields = HTTPHeaders()
        fields.add(name: "Content-Type", value: "application/json")
        fields.add(name: "Content-Length", value: "\(body.readableBytes)")
        for header in headers { fields.add(name: header.name, value: header.value) }
        if !fields.contains(name: "Connection") { fields.add(name: "Connection", value: "close") }
        return (HTTPResponseHead(version: .http1_1, status: status, headers: fields), body)
    }
}

extension HandshakeRefusal {
    package static func unauthenticated(_ message: String) -> Self {
        Self(.unauthenticated, message).with("WWW-Authenticate", "Bearer")
    }

    package static let tokenExpired = Self(.tokenExpired, "the access token ran out; refresh it")
        .with("WWW-Authenticate", "Bearer error=\"invalid_token\"")

    package static let tooSlow = Self(.requestTimeout, "no complete, authenticated request came in time")

    package static let slowRequest = Self(.requestTimeout, "the request was not complete in its time")

    package static func tooManyConnections(_ message: String, retryAfterMilliseconds: UInt32) -> Self {
        Self(.rateLimited, message, retryAfterMilliseconds: retryAfterMilliseconds)
    }

    package static func overloaded(retryAfterMilliseconds: UInt32) -> Self {
        Self(
            .overloaded, "the node admits no more connections now",
            retryAfterMilliseconds: max(1, retryAfterMilliseconds))
    }
}
