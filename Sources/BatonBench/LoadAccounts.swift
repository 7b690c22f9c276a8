package import BatonClient
import BatonCore
import BatonProtocol
import NIOHTTP1

/// The users of a load: registered once, logged in for each run, logged out after it, so that no run leaves a device
/// behind. Passwords cost the nodes 27 ms each, so few requests are under way at once.
package struct LoadAccounts: Sendable {
    private static let concurrency = 16
    /// Tries of one request that is refused for a while.
    private static let attempts = 60

    let rest: RelayREST
    let prefix: String
    let password: String
    let progress: @Sendable (String) -> Void

    /// - Parameters:
    ///   - prefix: what the handles begin with; a number follows.
    ///   - progress: told what is under way, in words.
    package init(
        rest: RelayREST, prefix: String, password: String, progress: @escaping @Sendable (String) -> Void
    ) {
        self.rest = rest
        self.prefix = prefix
        self.password = password
        self.progress = progress
    }

    /// Logs in as many users, registering those that are not there yet.
    package func logIn(_ count: Int) async throws -> [Tokens] {
        // One look tells whether the users are there: a login that fails costs as much as one that does not.
        let isThere = count > 0 ? await canLogIn(handle(count - 1)) : false
        return try await each(count, "users") { index in
            if !isThere { try await register(handle(index)) }
            return try await logIn(handle(index), attempts: Self.attempts)
        }
    }

    /// Ends the run's devices.
    func logOut(_ tokens: [Tokens]) async throws {
        _ = try await each(tokens.count, "logged out") { index in
            _ = try? await rest.request(
                .DELETE, "/v1/sessions/current", accessToken: tokens[index].accessToken, answer: WireErrorResponse.self)
        }
    }

    private func handle(_ index: Int) -> String { "\(prefix)\(index)" }

    private func register(_ handle: String) async throws {
        var account = WireNewAccount()
        account.handle = handle
        account.displayName = handle
        account.password = password
        do {
            _ = try await patiently(Self.attempts) {
                try await rest.request(.POST, "/v1/users", body: account, answer: WireProfile.self)
            }
        } catch ClientError.refused(let error) where error.code == .handleTaken {
            return
        }
    }

    private func canLogIn(_ handle: String) async -> Bool {
        (try? await logIn(handle, attempts: 3)) != nil
    }

    private func logIn(_ handle: String, attempts: Int) async throws -> Tokens {
        var login = WireLogin()
        login.handle = handle
        login.password = password
        login.deviceName = "bench"
        login.platform = "bench"
        let wire = try await patiently(attempts) {
            try await rest.request(.POST, "/v1/sessions", body: login, answer: WireTokens.self)
        }
        guard let tokens = Tokens(wire) else { throw BenchError("the login of \(handle) was answered without tokens") }
        return tokens
    }

    /// Tries again what is refused for a while.
    private func patiently<Answer: Sendable>(
        _ attempts: Int, _ request: () async throws -> Answer
    ) async throws -> Answer {
        for _ in 1..<max(1, attempts) {
            let pause: Duration
            do {
                return try await request()
            } catch ClientError.refused(let error) where error.isRetryable {
                pause = max(error.retryAfter, .milliseconds(100))
            }
            try await ContinuousClock().sleep(for: pause)
        }
        return try await request()
    }

    /// Runs so many requests, a few at a time, and gives their results in order.
    private func each<Result: Sendable>(
        _ count: Int, _ what: String, _ body: @escaping @Sendable (Int) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var results: [Int: Result] = [:]
            var next = 0
            while next < min(Self.concurrency, count) {
                group.addTask { [next] in (next, try await body(next)) }
                next += 1
            }
            while let (index, result) = try await group.next() {
                results[index] = result
                if results.count % 100 == 0 { progress("\(what): \(results.count) of \(count)") }
                guard next < count else { continue }
                group.addTask { [next] in (next, try await body(next)) }
                next += 1
            }
            return (0..<count).compactMap { results[$0] }
        }
    }
}
