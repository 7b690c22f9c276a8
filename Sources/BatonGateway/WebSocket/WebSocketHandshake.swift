import BatonCore
package import BatonProtocol
package import NIOHTTP1

/// Judges the request that asks for a WebSocket. Strict where RFC 6455 leaves no choice; each refusal names the header
/// that is wrong.
package struct WebSocketHandshake: Sendable {
    /// What an endpoint asks for.
    package struct Policy: Sendable {
        package var origins: OriginPolicy
        /// Whether one of our subprotocols and a token are needed. Only the echo endpoint goes without.
        package var isAuthenticated: Bool

        package init(origins: OriginPolicy = OriginPolicy(), isAuthenticated: Bool = true) {
            self.origins = origins
            self.isAuthenticated = isAuthenticated
        }
    }

    /// A request that may be upgraded, once its token is found good.
    package struct Accepted: Equatable, Sendable {
        /// nil at an endpoint that asks for none.
        package var subprotocol: Subprotocol?
        /// nil at an endpoint that asks for none.
        package var token: String?
        /// The headers of `101 Switching Protocols`.
        package var responseHeaders: HTTPHeaders
    }

    private let head: HTTPRequestHead
    private let policy: Policy

    package static func judge(
        _ head: HTTPRequestHead, policy: Policy
    ) throws(HandshakeRefusal) -> Accepted {
        try Self(head: head, policy: policy).judged()
    }

    private func judged() throws(HandshakeRefusal) -> Accepted {
        try checkRequest()
        let key = try checkUpgrade()
        try checkOrigin()
        let offer = try SubprotocolOffer(head.headers)
        var response = HTTPHeaders([
            ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", WebSocketKey.accept(key)),
        ])
        guard policy.isAuthenticated else {
            if let name = offer.names.first { response.add(name: "Sec-WebSocket-Protocol", value: name) }
            return Accepted(subprotocol: nil, token: nil, responseHeaders: response)
        }
        let subprotocol = try offer.negotiated()
        let token = try token(offer)
        response.add(name: "Sec-WebSocket-Protocol", value: subprotocol.rawValue)
        return Accepted(subprotocol: subprotocol, token: token, responseHeaders: response)
    }

    private func checkRequest() throws(HandshakeRefusal) {
        guard head.method == .GET else {
            throw HandshakeRefusal(.methodNotAllowed, "a WebSocket begins with GET").with("Allow", "GET")
        }
        guard head.version == .http1_1 else {
            throw HandshakeRefusal(.invalidField, "a WebSocket needs HTTP/1.1", field: "version")
        }
        let host = try only("Host")
        guard !host.isEmpty else { throw HandshakeRefusal(.invalidField, "it is empty", field: "Host") }
        if head.headers.contains(name: "Transfer-Encoding") {
            throw HandshakeRefusal(.invalidField, "a handshake has no body", field: "Transfer-Encoding")
        }
        if head.headers["Content-Length"].contains(where: { $0 != "0" }) {
            throw HandshakeRefusal(.invalidField, "a handshake has no body", field: "Content-Length")
        }
        // A URL is logged by every proxy on the way, and kept in histories.
        if let name = Self.tokenInQuery(head.uri) {
            throw HandshakeRefusal(
                .invalidField, "a token must not be in the URL; send it as Authorization: Bearer", field: name)
        }
    }

    /// - Returns: the key.
    private func checkUpgrade() throws(HandshakeRefusal) -> String {
        guard tokens("Upgrade").contains("websocket") else {
            throw HandshakeRefusal(.upgradeRequired, "this is a WebSocket endpoint", field: "Upgrade")
                .with("Upgrade", "websocket").with("Connection", "Upgrade, close")
        }
        guard tokens("Connection").contains("upgrade") else {
            throw HandshakeRefusal(.invalidField, "it must hold \"Upgrade\"", field: "Connection")
        }
        guard head.headers["Sec-WebSocket-Version"] == ["13"] else {
            throw HandshakeRefusal(.upgradeRequired, "version 13 is spoken here", field: "Sec-WebSocket-Version")
                .with("Sec-WebSocket-Version", "13")
        }
        let key = try only("Sec-WebSocket-Key")
        guard WebSocketKey.isValid(key) else {
            throw HandshakeRefusal(.invalidField, "it must be 16 bytes in base64", field: "Sec-WebSocket-Key")
        }
        return key
    }

    private func checkOrigin() throws(HandshakeRefusal) {
        let origins = head.headers["Origin"]
        guard let origin = origins.first else { return }
        guard origins.count == 1, policy.origins.admits(origin: origin, host: head.headers["Host"].first ?? "") else {
            throw HandshakeRefusal(.forbidden, "pages of this origin may not connect", field: "Origin")
        }
    }

    private func token(_ offer: SubprotocolOffer) throws(HandshakeRefusal) -> String {
        let authorizations = head.headers["Authorization"]
        guard authorizations.count + offer.tokens.count <= 1 else {
            throw HandshakeRefusal(.invalidField, "there is more than one token", field: "Authorization")
        }
        let token: String
        if let authorization = authorizations.first {
            guard let bearer = BearerToken(authorization) else {
                throw .unauthenticated("the Authorization header must be \"Bearer\" and the access token")
            }
            token = bearer.text
        } else {
            token = offer.tokens.first ?? ""
        }
        guard !token.isEmpty else {
            throw .unauthenticated(
                "send the access token as Authorization: Bearer, or as the subprotocol \(Subprotocol.tokenPrefix)TOKEN")
        }
        return token
    }

    /// The value of a header that must come exactly once.
    private func only(_ name: String) throws(HandshakeRefusal) -> String {
        let values = head.headers[name]
        guard let value = values.first else {
            throw HandshakeRefusal(.missingField, "the header is missing", field: name)
        }
        guard values.count == 1 else {
            throw HandshakeRefusal(.invalidField, "the header comes more than once", field: name)
        }
        return value
    }

    private func tokens(_ name: String) -> [String] {
        head.headers[canonicalForm: name].map { $0.lowercased() }
    }

    private static func tokenInQuery(_ uri: String) -> String? {
        guard let mark = uri.firstIndex(of: "?") else { return nil }
        let names = ["token", "access_token", "accesstoken", "jwt", "authorization", "bearer"]
        return uri[uri.index(after: mark)...].split(separator: "&").lazy
            .map { String($0.prefix { $0 != "=" }).lowercased() }
            .first { names.contains($0) }
    }
}
