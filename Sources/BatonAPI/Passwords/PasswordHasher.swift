import NIOPosix
import Synchronization

/// Hashes and verifies passwords on a few threads of its own, so that neither the event loops nor the concurrency pool
/// wait for Argon2, and a flood of logins can take only so much memory and time.
///
/// Whoever makes one has to shut it down.
///
/// What it does not do: decide who may try how often; that is the rate limits'.
package final class PasswordHasher: Sendable {
    package enum Verdict: Hashable, Sendable {
        case wrong
        /// `isOutdated`: the hash was made with other parameters than today's, and should be made anew.
        case right(isOutdated: Bool)
    }

    package struct Counters: Hashable, Sendable {
        /// Hashes computed, for whatever reason.
        package var computed = 0
        /// Requests refused because the queue was full.
        package var refused = 0
        /// Requests that wait or run now.
        package var pending = 0
    }

    package let parameters: Argon2Parameters
    private let pool: NIOThreadPool
    private let pendingLimit: Int
    private let state = Mutex(Counters())
    /// What the password of a user who does not exist is compared with: random bytes in the shape of a hash of today's
    /// parameters, which no password has. It costs exactly what a real one costs.
    let nobody: String

    /// - Parameters:
    ///   - threads: passwords hashed at the same time; each takes `parameters.memoryKiB`.
    ///   - queue: requests that may wait for one of them.
    package init(
        parameters: Argon2Parameters = Argon2Parameters(), threads: Int, queue: Int
    ) {
        precondition(parameters.isUsable, "checked by the configuration")
        self.parameters = parameters
        pendingLimit = threads + queue
        nobody = Self.unmatchedHash(parameters)
        pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
    }

    package var counters: Counters { state.withLock { $0 } }

    /// A new hash, with a salt of its own, in the encoded form that is kept.
    package func hash(_ password: String) async throws(PasswordError) -> String {
        let (bytes, parameters) = (Array(password.utf8), self.parameters)
        let encoded = try await run {
            Argon2.hash(bytes, salt: SecureRandom.bytes(Argon2.saltBytes), parameters)
        }
        guard let encoded else { throw .failed }
        return encoded
    }

    /// Compares a password with a user's hash, or, where there is no such user, does the same work for nothing: how
    /// long the answer takes must not tell which it was.
    package func verify(_ password: String, against encoded: String?) async throws(PasswordError) -> Verdict {
        let (bytes, known) = (Array(password.utf8), encoded ?? nobody)
        guard let matches = try await run({ Argon2.verify(bytes, against: known) }) else { throw .failed }
        guard matches, encoded != nil else { return .wrong }
        return .right(isOutdated: Argon2.parameters(of: known) != parameters)
    }

    /// Lets what is under way finish. Later calls are refused.
    package func shutdown() async throws {
        try await pool.shutdownGracefully()
    }

    private func run<Result: Sendable>(
        _ work: @escaping @Sendable () -> Result
    ) async throws(PasswordError) -> Result {
        let isAdmitted = state.withLock { counters in
            guard counters.pending < pendingLimit else {
                counters.refused += 1
                return false
            }
            counters.pending += 1
            return true
        }
        guard isAdmitted else { throw .overloaded }
        defer { state.withLock { $0.pending -= 1 } }
        do {
            let result = try await pool.runIfActive(work)
            state.withLock { $0.computed += 1 }
            return result
        } catch {
            // The pool was shut down, or the client went away while its request waited.
            throw .overloaded
        }
    }

    private static func unmatchedHash(_ parameters: Argon2Parameters) -> String {
        let (salt, hash) = (SecureRandom.bytes(Argon2.saltBytes), SecureRandom.bytes(Argon2.hashBytes))
        let cost = "m=\(parameters.memoryKiB),t=\(parameters.iterations),p=\(parameters.parallelism)"
        return "$argon2id$v=19$\(cost)$\(Base64.standardUnpadded(salt))$\(Base64.standardUnpadded(hash))"
    }
}

package enum PasswordError: Error, Hashable, Sendable {
    /// Too many requests wait already, or the node stops.
    case overloaded
    /// There was no memory, or the stored text is no hash.
    case failed
}
