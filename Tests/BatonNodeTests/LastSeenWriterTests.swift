import BatonCore
import BatonTestKit
import Logging
import Testing

@testable import BatonNode

@Suite("Last seen, on its way to the store")
struct LastSeenWriterTests {
    @Test("So many users wait for a batch; one more is left to the presence registry, a known one is renewed")
    func bound() async throws {
        let accounts = InMemoryAccountStore()
        let now = Timestamp(milliseconds: 1_000)
        let writer = LastSeenWriter(accounts: accounts, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let (first, late) = (UserID(rawValue: 1), UserID(rawValue: UInt64(Limits.Store.lastSeenUsers) + 1))
        for (user, handle) in [(first, "first"), (late, "late")] {
            _ = try await accounts.createUser(
                NewUser(
                    id: user, handle: handle, displayName: handle, passwordHash: "", phone: nil, email: nil,
                    createdAt: now))
        }
        for number in 1...UInt64(Limits.Store.lastSeenUsers) { writer.record(UserID(rawValue: number), now) }
        writer.record(late, now)
        writer.record(first, now.advanced(byMilliseconds: 5))
        await writer.write()
        #expect(try await accounts.user(late)?.lastSeen == nil)
        #expect(try await accounts.user(first)?.lastSeen == now.advanced(byMilliseconds: 5))
    }
}
