import BatonCore
import BatonProtocol
import Logging

/// Finds out whose handle and password somebody gives who has no session.
///
/// Whether the handle is unknown or the password wrong is told neither by the answer nor by the time it takes. Failures are
/// counted: a token is taken before the password is looked at, so that many guesses at once are counted too, and given back
/// unless the password was wrong.
struct PasswordCheck: Sendable {
    let dependencies: APIDependencies
    let gate: RateGate

    /// An attempt of which the address is known, and not yet the rest.
    struct Attempt: Sendable {
        let network: String
        fileprivate let bucket: RateLimitBucket
    }

    /// To be called before the request's body is looked at, which costs more than the answer that there were too many.
    func begin(from address: String?) async throws(APIError) -> Attempt {
        Attempt(network: ClientNetwork.name(of: address), bucket: try await gate.login(from: address))
    }

    /// - Parameter password: nil for one that nobody can have.
    /// - Returns: the user, and the hash that the password has now.
    func verify(
        _ password: String?, of handle: String, _ attempt: Attempt, logger: Logger
    ) async throws(APIError) -> (user: UserID, hash: String) {
        var buckets = [attempt.bucket]
        do throws(APIError) {
            let known = try await credentials(of: handle)
            buckets.append(try await gate.login(to: handle, home: isHome(attempt, known) ? attempt.network : nil))
            let found = try await compare(password, with: known, logger: logger)
            await gate.giveBack(buckets)
            try await gate.login(of: found.user)
            return found
        } catch {
            if ![.wrongCredentials, .rateLimited].contains(error.code) { await gate.giveBack(buckets) }
            throw error
        }
    }

    /// The answer to a wrong password, also to one that was right until a moment ago.
    func wrongCredentials() -> APIError {
        dependencies.onRefused(.passwordWrong)
        return APIError(.wrongCredentials, "the handle or the password is wrong")
    }

    private func credentials(of handle: String) async throws(APIError) -> Credentials? {
        try await mapped { () throws(AccountError) in
            try await dependencies.accounts.credentials(handle: handle)
        }
    }

    /// Whether the account is used where the attempt comes from.
    private func isHome(_ attempt: Attempt, _ known: Credentials?) -> Bool {
        guard let known else { return false }
        let marks = dependencies.keys.marks(of: attempt.network, at: dependencies.clock.now)
        return !known.networks.isDisjoint(with: marks)
    }

    private func compare(
        _ password: String?, with known: Credentials?, logger: Logger
    ) async throws(APIError) -> (user: UserID, hash: String) {
        guard let password else { throw wrongCredentials() }
        let verdict = try await mapped { () throws(PasswordError) in
            try await dependencies.passwords.verify(password, against: known?.passwordHash)
        }
        guard case .right(let isOutdated) = verdict, let known else { throw wrongCredentials() }
        guard isOutdated else { return (known.user.id, known.passwordHash) }
        let renewed = await renewHash(known.passwordHash, of: password, known.user.id, logger: logger)
        return (known.user.id, renewed ?? known.passwordHash)
    }

    /// The only moment at which the password is known. That it fails does not matter: there will be other logins.
    ///
    /// - Returns: the new hash; nil where it is not in the store.
    private func renewHash(_ old: String, of password: String, _ user: UserID, logger: Logger) async -> String? {
        do {
            let new = try await dependencies.passwords.hash(password)
            return try await dependencies.accounts.replacePasswordHash(old, by: new, of: user) ? new : nil
        } catch {
            logger.notice("password hash not renewed", metadata: ["user": "\(user)", "error": "\(error)"])
            return nil
        }
    }
}
