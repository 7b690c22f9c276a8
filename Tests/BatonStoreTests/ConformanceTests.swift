import BatonCore
import BatonStore
import BatonTestKit
import Testing

@Suite("What every store does, done by SQLite and by the one in memory")
struct ConformanceTests {
    @Test("SQLite keeps messages", arguments: MessageStoreConformance.cases)
    func messages(_ conformance: MessageStoreConformance.Case) async throws {
        try await TemporaryStore.with { try await conformance.run($0.fixture) }
    }

    @Test("SQLite keeps them as well where hardly a row is kept in memory", arguments: MessageStoreConformance.cases)
    func forgetful(_ conformance: MessageStoreConformance.Case) async throws {
        try await TemporaryStore.with {
            $0.keptRows = 1
        } _: {
            try await conformance.run($0.fixture)
        }
    }

    @Test("Memory keeps messages", arguments: MessageStoreConformance.cases)
    func messagesInMemory(_ conformance: MessageStoreConformance.Case) async throws {
        try await conformance.run(InMemoryMessageStore())
    }

    @Test("SQLite keeps accounts", arguments: AccountStoreConformance.cases)
    func accounts(_ conformance: AccountStoreConformance.Case) async throws {
        try await TemporaryStore.with { try await conformance.run($0) }
    }

    @Test("SQLite keeps conversations", arguments: ConversationStoreConformance.cases)
    func conversations(_ conformance: ConversationStoreConformance.Case) async throws {
        try await TemporaryStore.with { try await conformance.run($0.fixture) }
    }
}
