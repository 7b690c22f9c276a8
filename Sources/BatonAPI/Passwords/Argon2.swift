import CArgon2

/// What a password's hash costs. At rest each hash names its own parameters, so they may be changed at any time: a
/// hash of other parameters is made anew when its user logs in next.
///
/// Source: <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>.
package struct Argon2Parameters: Hashable, Sendable {
    package var memoryKiB: UInt32
    package var iterations: UInt32
    package var parallelism: UInt32

    package init(memoryKiB: UInt32 = 19_456, iterations: UInt32 = 2, parallelism: UInt32 = 1) {
        self.memoryKiB = memoryKiB
        self.iterations = iterations
        self.parallelism = parallelism
    }

    /// What libargon2 takes, and what keeps a node alive: at most 1 GiB and 64 iterations a hash.
    package var isUsable: Bool {
        (1...16).contains(parallelism) && (1...64).contains(iterations)
            && (8 * parallelism...1 << 20).contains(memoryKiB)
    }
}

/// Argon2id as libargon2 has it, one call a function. Each takes tens of milliseconds and all of a core: never call
/// them on an event loop.
enum Argon2 {
    static let saltBytes = 16
    static let hashBytes = 32

    /// - Returns: the encoded form, `$argon2id$v=19$m=...,t=...,p=...$salt$hash`; nil where there was no memory for it.
    static func hash(_ password: [UInt8], salt: [UInt8], _ parameters: Argon2Parameters) -> String? {
        let (iterations, memory, lanes) = (parameters.iterations, parameters.memoryKiB, parameters.parallelism)
        let count = argon2_encodedlen(
            iterations, memory, lanes, UInt32(salt.count), UInt32(hashBytes), Argon2_id)
        var encoded = [CChar](repeating: 0, count: count)
        let code = argon2id_hash_encoded(
            iterations, memory, lanes, password, password.count, salt, salt.count, hashBytes, &encoded, count)
        guard code == ARGON2_OK.rawValue else { return nil }
        return String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether the password has this hash; the library compares in constant time. Nil where it could not be computed:
    /// no memory, or a text that is no hash.
    static func verify(_ password: [UInt8], against encoded: String) -> Bool? {
        switch argon2id_verify(encoded, password, password.count) {
        case ARGON2_OK.rawValue: true
        case ARGON2_VERIFY_MISMATCH.rawValue: false
        default: nil
        }
    }

    /// The parameters that an encoded hash was made with; nil for anything that is no Argon2id hash of version 1.3.
    static func parameters(of encoded: String) -> Argon2Parameters? {
        let parts = encoded.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].isEmpty, parts[1] == "argon2id", parts[2] == "v=19" else { return nil }
        let numbers = parts[3].split(separator: ",", omittingEmptySubsequences: false)
        guard numbers.count == 3, numbers[0].hasPrefix("m="), numbers[1].hasPrefix("t="), numbers[2].hasPrefix("p="),
            let memory = UInt32(numbers[0].dropFirst(2)), let iterations = UInt32(numbers[1].dropFirst(2)),
            let lanes = UInt32(numbers[2].dropFirst(2))
        else { return nil }
        return Argon2Parameters(memoryKiB: memory, iterations: iterations, parallelism: lanes)
    }
}
