import BatonCore
import BatonProtocol
import Foundation
import Testing

@testable import BatonClient

@Suite("Whose the messages are that wait", .timeLimit(.minutes(1)))
struct OutboxOwnerTests {
    private static let alice = tokens(1)
    private static let bob = tokens(2)

    private static func tokens(_ user: UInt64) -> Tokens {
        Tokens(
            user: UserID(rawValue: user), device: DeviceID(rawValue: 10 + user), accessToken: "a", refreshToken: "r")
    }

    /// A file as Alice leaves it who logs out while a message waits, compacted or not.
    private static func path(isCompacted: Bool) throws -> String {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("baton-owner-\(UInt64.random(in: 1...UInt64.max))").path
        var send = WireSend()
        send.ref = "r1"
        send.user = UserID(rawValue: 7).description
        send.content.text = "hello"
        var contents = StateContents()
        let all: [StateRecord] = [.tokens(alice.wire), .queued(send), .loggedOut]
        for record in all { contents.apply(record) }
        var bytes: [UInt8] = []
        for record in isCompacted ? contents.records : all { try record.append(to: &bytes) }
        let file = try StateFile(path: path)
        try file.append(isCompacted ? contents.records : all)
        file.close()
        return path
    }

    private static func client(_ path: String) throws -> BatonClient {
        let address = try #require(RelayAddress("http://127.0.0.1:1"))
        var configuration = ClientConfiguration(addresses: [address])
        configuration.stateFile = path
        return try BatonClient(configuration)
    }

    @Test(
        "A message that waited for one user comes back when another logs in, and is not sent", arguments: [false, true])
    func handedBack(isCompacted: Bool) async throws {
        let path = try Self.path(isCompacted: isCompacted)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let client = try Self.client(path)
        #expect(await client.outboxCount == 1)
        try await client.use(Self.bob)
        #expect(await client.outboxCount == 0)
        var events = client.events.makeAsyncIterator()
        guard case .rejected(let message)? = await events.next() else {
            Issue.record("it did not come back")
            return
        }
        #expect(message.ref == "r1" && message.error.code == .forbidden)
        await client.close()
        let again = try Self.client(path)
        #expect(await again.outboxCount == 0)
        await again.close()
    }

    @Test("It stays for the same user", arguments: [false, true])
    func kept(isCompacted: Bool) async throws {
        let path = try Self.path(isCompacted: isCompacted)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let client = try Self.client(path)
        try await client.use(Self.alice)
        #expect(await client.outboxCount == 1)
        await client.close()
    }
}
