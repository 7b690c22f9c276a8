import BatonCore
import BatonProtocol
import DequeModule
import Logging
import NIOCore
import NIOHTTP1

/// Accounts and sessions, over REST.
extension BatonClient {
    /// Registers a user. It does not log in: call ``login(handle:password:deviceName:platform:)`` afterwards.
    @discardableResult
    public func register(
        handle: String, displayName: String, password: String, phone: String = "", email: String = ""
    ) async throws(ClientError) -> Profile {
        var account = WireNewAccount()
        account.handle = handle
        account.displayName = displayName
        account.password = password
        account.phone = phone
        account.email = email
        return try Profile.checked(
            try await rest.request(.POST, "/v1/users", body: account, answer: WireProfile.self))
    }

    /// Logs in: this client becomes a device of the user.
    ///
    /// - Throws: ``ClientError/alreadyLoggedIn`` if the client has tokens already.
    @discardableResult
    public func login(
        handle: String, password: String, deviceName: String, platform: String = "swift"
    ) async throws(ClientError) -> Tokens {
        guard tokens == nil else { throw .alreadyLoggedIn }
        var login = WireLogin()
        login.handle = handle
        login.password = password
        login.deviceName = deviceName
        login.platform = platform
        let wire = try await rest.request(.POST, "/v1/sessions", body: login, answer: WireTokens.self)
        guard let tokens = Tokens(wire) else { throw .badAnswer("tokens are missing") }
        do {
            try await writer.append([.tokens(tokens.wire)]).get()
        } catch {
            throw error as? ClientError ?? .stateFile(String(describing: error))
        }
        take(tokens, expiresIn: wire.expiresInSeconds)
        handBackMessages(notOf: tokens.user)
        return tokens
    }

    /// Uses tokens of an earlier login that the application kept itself. A refresh replaces them: read
    /// ``currentTokens`` again to keep the new ones, or use a state file, which is kept up to date.
    ///
    /// - Throws: ``ClientError/alreadyLoggedIn`` if the client has tokens already.
    public func use(_ tokens: Tokens) throws(ClientError) {
        guard self.tokens == nil else { throw .alreadyLoggedIn }
        take(tokens, expiresIn: 0)
        _ = writer.append([.tokens(tokens.wire)])
        handBackMessages(notOf: tokens.user)
    }

    /// The tokens of the device's session; nil while the client is not logged in.
    public var currentTokens: Tokens? { tokens }

    /// Ends the device's session, at the relay and here. Events that the application has not taken are dropped.
    ///
    /// Unsent messages stay in the outbox for the same user. If another user logs in, they come back as
    /// ``ClientEvent/rejected(_:)``.
    public func logout() async throws(ClientError) {
        guard tokens != nil else { throw .notLoggedIn }
        do {
            _ = try await authorized(.DELETE, "/v1/sessions/current", answer: WireErrorResponse.self)
        } catch .refused(let error) where error.endsSession {
            configuration.logger.debug("the session had ended already")
        }
        disconnect()
        tokens = nil
        accessExpires = nil
        session.forget()
        queue = []
        taken = nil
        _ = writer.append([.loggedOut])
    }

    /// Messages that were written as one user are not sent as another.
    private func handBackMessages(notOf user: UserID) {
        defer { outboxOwner = user }
        guard let outboxOwner, outboxOwner != user else { return }
        let error = RelayError(WireError(.forbidden, "another user has logged in since this message was written"))
        for message in session.outbox.messages {
            guard session.outbox.settled(message.ref) != nil else { continue }
            settled(message.ref, .rejected(RejectedMessage(ref: message.ref, error: error)))
        }
    }

    func take(_ tokens: Tokens, expiresIn seconds: UInt32) {
        self.tokens = tokens
        accessExpires = seconds > 0 ? .now() + .seconds(Int64(seconds)) : nil
    }

    /// Exchanges the refresh token, once at a time.
    func refresh() -> EventLoopFuture<Tokens> {
        if let refreshing { return refreshing }
        if let provider = configuration.tokenProvider { return ask(provider) }
        guard let tokens else { return eventLoop.makeFailedFuture(ClientError.notLoggedIn) }
        let presented = tokens.refreshToken
        var request = WireRefreshRequest()
        request.refreshToken = presented
        // Every server gives the same answer to the same token.
        let future = rest.call(
            .POST, "/v1/sessions/refresh", body: request, mayRepeat: true, answer: WireTokens.self
        ).flatMap { (wire: WireTokens) -> EventLoopFuture<Tokens> in
            guard let tokens = Tokens(wire) else {
                return self.eventLoop.makeFailedFuture(ClientError.badAnswer("tokens are missing"))
            }
            // Who logged out meanwhile stays logged out.
            let isCurrent = self.assumeIsolated { client in
                guard client.tokens?.refreshToken == presented else { return false }
                client.take(tokens, expiresIn: wire.expiresInSeconds)
                return true
            }
            guard isCurrent else { return self.eventLoop.makeFailedFuture(ClientError.notLoggedIn) }
            return self.writer.append([.tokens(tokens.wire)]).map { tokens }
        }
        refreshing = future
        future.whenComplete { _ in self.assumeIsolated { $0.refreshing = nil } }
        return future
    }

    /// Gets an access token from where the application keeps its session.
    private func ask(_ provider: @escaping @Sendable () async throws -> IssuedToken) -> EventLoopFuture<Tokens> {
        let future = eventLoop.makeFutureWithTask { try await provider() }.flatMap {
            (issued: IssuedToken) -> EventLoopFuture<Tokens> in
            let tokens = Tokens(
                user: issued.user, device: issued.device, accessToken: issued.accessToken, refreshToken: "")
            self.assumeIsolated {
                $0.take(tokens, expiresIn: UInt32(clamping: issued.lifetime.components.seconds))
            }
            return self.writer.append([.tokens(tokens.wire)]).map { tokens }
        }
        refreshing = future
        future.whenComplete { _ in self.assumeIsolated { $0.refreshing = nil } }
        return future
    }
}
