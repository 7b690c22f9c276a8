import BatonCore
import BatonProtocol
import Logging

/// Finds out whose handle and password somebody gives who has no session.
///
/// Whether the handle is unknown or the password wrong is told neither by the answer nor by the time it takes.
struct PasswordCheck: Sendable {
    let dependencies: APIDependencies
    let gate: RateGate

    /// Takes the address' attempt, before the request's body is looked at: that costs more than the answer that there were
    /// too many.
    func begin(from address: String?) async throws(APIError) {
        try await gate.login(from: address)
    }

    /// - Parameter password: nil for one that nobody can have.
    /// - Returns: the user, and the hash that the password has now.
    func verify(
        _ password: String?, of handle: String, logger: Logger
    ) async throws(APIError) -> (user: UserID, hash: String) {
        try await gate.login(to: handle)
        guard let password else { throw wrongCredentials() }
        let known: (user: User, passwordHash: String)?
        do {
            known = try await dependencies.accounts.credentials(handle: handle)
        } catch {
            throw APIError(error)
        }
        let verdict: PasswordHasher.Verdict
        do {
            verdict = try await dependencies.passwords.verify(password, against: known?.passwordHash)
        } catch {
            throw APIError(error)
        }
        guard case .right(let isOutdated) = verdict, let known else { throw wrongCredentials() }
        guard isOutdated else { return (known.user.id, known.passwordHash) }
        let renewed = await renewHash(known.passwordHash, of: password, known.user.id, logger: logger)
        return (known.user.id, renewed ?? known.passwordHash)
    }

    func wrongCredentials() -> APIError {
        dependencies.onRefused(.passwordWrong)
        return APIError(.wrongCredentials, "the handle or the password is wrong")
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
