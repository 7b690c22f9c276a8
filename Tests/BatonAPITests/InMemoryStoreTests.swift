import BatonCore
import BatonTestKit
import Testing

@Suite("The in-memory stores are stores")
struct InMemoryStoreTests {
    @Test("Accounts", arguments: AccountStoreConformance.cases)
    func accounts(_ conformance: AccountStoreConformance.Case) async throws {
        try await conformance.run(InMemoryAccountStore())
    }

    @Test("Conversations", arguments: ConversationStoreConformance.cases)
    func conversations(_ conformance: ConversationStoreConformance.Case) async throws {
        try await conformance.run(InMemoryFixture())
    }
}
