import BatonCore
import BatonTestKit
import GRDB
import Testing

@testable import BatonStore

@Suite("What a revoked device is refused with")
struct RevocationTests {
    private let people = People()
    private let time = Timestamp(milliseconds: 1_767_225_600_000)

    @Test("Everything that a device does is refused with the reason for which it was revoked")
    func reasons() async throws {
        try await TemporaryStore.with { store in
            try await people.register(in: store)
            _ = await store.perform(people.message("before", to: people.bob))
            let bob = people.device(of: people.bob)
            let other = PasswordChange(
                user: people.bob, device: DeviceID(rawValue: 9), oldHash: "", newHash: "new")
            #expect(try await store.changePassword(other) == [bob])
            let conversation = try #require(ConversationID(between: people.alice, and: people.bob))
            let operations: [StoreOperation] = [
                .connect(ConnectRequest(user: people.bob, device: bob, at: time)),
                people.message("m", to: people.alice),
                people.acknowledgement(of: InboxSequence(rawValue: 1), by: people.bob),
                .read(
                    ReadRequest(
                        user: people.bob, device: bob, conversation: conversation,
                        sequence: ConversationSequence(rawValue: 1), at: time)),
            ]
            for outcome in await store.perform(operations) {
                #expect(outcome == .refused(.deviceRevoked(.passwordChanged)))
            }
        }
    }

    @Test("Where a node of version 1 revoked it, or a newer one for a reason that is not known here, it was logged out")
    func otherVersions() async throws {
        try await TemporaryStore.with { store in
            try await people.register(in: store)
            let bob = people.device(of: people.bob)
            let queue = try DatabaseQueue(path: store.settings.path)
            defer { try? queue.close() }
            try await queue.write { try $0.execute(sql: "UPDATE cursors SET state = 2") }
            #expect(try await store.standing(of: bob, of: people.bob) == .revoked(.loggedOut))
            try await queue.write { try $0.execute(sql: "UPDATE devices SET revoked_for = 77") }
            #expect(try await store.standing(of: bob, of: people.bob) == .revoked(.loggedOut))
            let outcome = await store.perform(people.message("m", to: people.alice))
            #expect(outcome == .refused(.deviceRevoked(.loggedOut)))
        }
    }
}
