import BatonCore
import BatonProtocol
import HTTPTypes
import Testing

@testable import BatonAPI

@Suite("Password hashes")
struct PasswordHasherTests {
    @Test("A hash is the standard's encoded form, salted anew each time, and only its password has it")
    func hashes() async throws {
        let hasher = PasswordHasher(parameters: APIHarness.cheap, threads: 1, queue: 8)
        let one = try await hasher.hash("correct horse")
        let other = try await hasher.hash("correct horse")
        #expect(one != other)
        #expect(try await hasher.verify("correct horse", against: one) == .right(isOutdated: false))
        #expect(try await hasher.verify("correct horse", against: other) == .right(isOutdated: false))
        #expect(try await hasher.verify("Correct horse", against: one) == .wrong)
        #expect(try await hasher.verify("", against: one) == .wrong)
        #expect(try await hasher.verify("correct horse", against: nil) == .wrong)
        #expect(Argon2.parameters(of: one) == APIHarness.cheap)
        try await hasher.shutdown()
    }

    @Test("The library's own answer to a known password: version 1.3, 64 MiB, two passes")
    func knownAnswer() {
        // From libargon2's test.c: hashtest(version, 2, 16, 1, "password", "somesalt", ...), Argon2id.
        let known = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
        #expect(Argon2.verify(Array("password".utf8), against: known) == true)
        #expect(Argon2.verify(Array("passwore".utf8), against: known) == false)
        #expect(
            Argon2.hash(
                Array("password".utf8), salt: Array("somesalt".utf8),
                Argon2Parameters(memoryKiB: 65_536, iterations: 2, parallelism: 1)) == known)
    }

    @Test("What the hash of nobody costs is what a real one costs")
    func nobody() async throws {
        let parameters = Argon2Parameters(memoryKiB: 64, iterations: 3, parallelism: 2)
        let hasher = PasswordHasher(parameters: parameters, threads: 1, queue: 8)
        let real = try await hasher.hash("correct horse")
        #expect(Argon2.parameters(of: hasher.nobody) == parameters)
        #expect(hasher.nobody.utf8.count == real.utf8.count)
        // The library computes it, instead of refusing its form.
        #expect(Argon2.verify(Array("x".utf8), against: hasher.nobody) == false)
        try await hasher.shutdown()
    }

    @Test(
        "A text that is no hash is a failure, not a wrong password",
        arguments: [
            "", "x", "$argon2id$", "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA",
            "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ",
            "$argon2id$v=19$m=-1,t=1,p=1$c29tZXNhbHQ$AAAAAAAA", "$argon2id$v=19$t=1,m=8,p=1$c29tZXNhbHQ$AAAAAAAA",
        ])
    func malformed(_ encoded: String) async throws {
        let hasher = PasswordHasher(parameters: APIHarness.cheap, threads: 1, queue: 8)
        await #expect(throws: PasswordError.failed) { try await hasher.verify("password", against: encoded) }
        try await hasher.shutdown()
    }

    @Test("So many hashes run and wait, and one more is refused at once")
    func bounded() async throws {
        let hasher = PasswordHasher(
            parameters: Argon2Parameters(memoryKiB: 1_024, iterations: 2), threads: 1, queue: 2)
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<64 {
                group.addTask { (try? await hasher.hash("correct horse")) != nil }
            }
            return await group.reduce(into: [true: 0, false: 0]) { $0[$1, default: 0] += 1 }
        }
        let counters = hasher.counters
        #expect(outcomes[true] == counters.computed)
        #expect(outcomes[false] == counters.refused)
        #expect(counters.computed >= 3)
        #expect(counters.refused > 0)
        #expect(counters.pending == 0)
        try await hasher.shutdown()
        await #expect(throws: PasswordError.overloaded) { try await hasher.hash("correct horse") }
    }

    @Test("A node whose queue is full says so to who logs in")
    func overloaded() async throws {
        let stopped = PasswordHasher(parameters: APIHarness.cheap, threads: 1, queue: 0)
        try await stopped.shutdown()
        let api = try await APIHarness(passwords: stopped)
        let answer = try await api.send(.post, "/v1/sessions", APIHarness.newLogin("alice"))
        #expect(answer.status == 503)
        #expect(answer.code == .overloaded)
        #expect(answer.headers[.retryAfter] == "1")
    }

    @Test(
        "Parameters that a node could not bear are not usable",
        arguments: [
            (Argon2Parameters(), true), (Argon2Parameters(memoryKiB: 8, iterations: 1, parallelism: 1), true),
            (Argon2Parameters(memoryKiB: 7), false), (Argon2Parameters(memoryKiB: 8, parallelism: 2), false),
            (Argon2Parameters(memoryKiB: .max), false), (Argon2Parameters(iterations: 0), false),
            (Argon2Parameters(parallelism: 0), false), (Argon2Parameters(parallelism: 17), false),
            (Argon2Parameters(parallelism: .max), false),
        ])
    func parameters(_ parameters: Argon2Parameters, _ isUsable: Bool) {
        #expect(parameters.isUsable == isUsable)
    }
}
