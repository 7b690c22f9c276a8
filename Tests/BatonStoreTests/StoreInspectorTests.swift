import BatonCore
import BatonTestKit
import Testing

@testable import BatonStore

@Suite("Looking into a store from outside")
struct StoreInspectorTests {
    @Test("A file that is no store, or not there, is refused with its path")
    func noStore() async throws {
        try await TemporaryStore.withFolder { folder in
            let error = #expect(throws: StoreOpenError.self) { try StoreInspector(path: folder + "/none.db") }
            #expect(error?.description.contains("none.db") == true)
        }
    }

    @Test("What was stored is found beside the running store, whichever of many messages it is")
    func findsWhatIsThere() async throws {
        try await TemporaryStore.withFolder { folder in
            let settings = StoreSettings(path: folder + "/baton.db")
            try await TemporaryStore.open(settings) { store in
                let alice = try await Self.user(1, "alice", in: store)
                let bob = try await Self.user(2, "bob", in: store)
                let conversation = try #require(ConversationID(between: alice.user, and: bob.user))
                // More than the step of the index by which messages are found.
                for number in 1...70 {
                    _ = await Self.submit(
                        .send(
                            SendRequest(
                                sender: alice.user, device: alice.device, ref: "r\(number)",
                                target: .conversation(conversation), payload: [1, 2, 3],
                                at: Timestamp(milliseconds: Int64(number)))), to: store, conversation, bob.user)
                }
                let inspector = try StoreInspector(path: settings.path)
                let user = try #require(try inspector.user(handle: "bob"))
                #expect(user.id == bob.user)
                #expect(user.head == 70 && user.waiting == 70 && user.conversations == 1)
                #expect(user.devices.map(\.id) == [bob.device])
                #expect(try inspector.user(alice.user)?.handle == "alice")
                #expect(try inspector.user(handle: "carol") == nil)
                let found = try #require(try inspector.conversation(conversation))
                #expect(found.last == 70 && found.members.map(\.handle) == ["alice", "bob"])
                for sequence: UInt64 in [1, 31, 32, 33, 64, 70] {
                    let id = MessageID(
                        conversation: conversation, sequence: ConversationSequence(rawValue: sequence))
                    let message = try #require(try inspector.message(id))
                    #expect(message.refs == ["r\(sequence)"] && message.sender == alice.user)
                    let recipient = try #require(message.recipients.first { $0.member.user == bob.user })
                    #expect(recipient.inboxSequence == Int64(sequence))
                }
                let refs = try inspector.messages(ref: "r33", limit: 10)
                #expect(refs.map(\.device) == [alice.device] && refs.map(\.user) == [alice.user])
                #expect(refs.first?.message.sequence.rawValue == 33 && refs.first?.at == 33)
                #expect(try inspector.messages(ref: "none", limit: 10).isEmpty)
                let beyond = MessageID(conversation: conversation, sequence: ConversationSequence(rawValue: 71))
                #expect(try inspector.message(beyond) == nil)
                let last = try inspector.lastMessages(of: conversation, limit: 3)
                #expect(last.map(\.sequence) == [68, 69, 70])
                #expect(last.allSatisfy { $0.sender == alice.user && $0.payload == [1, 2, 3] })
                #expect(try inspector.lastMessages(of: conversation, limit: 1_000).count == 70)
                #expect(try StoreInspector.modes(path: settings.path) == ("wal", 2))
            }
        }
    }

    /// The first message makes the conversation, so it goes to the user.
    private static func submit(
        _ operation: StoreOperation, to store: SQLiteStore, _ conversation: ConversationID, _ peer: UserID
    ) async -> [StoreOutcome] {
        var operation = operation
        if case .send(let request) = operation, request.ref == "r1" {
            operation = .send(
                SendRequest(
                    sender: request.sender, device: request.device, ref: request.ref, target: .user(peer),
                    payload: request.payload, at: request.at))
        }
        return await withCheckedContinuation { continuation in
            store.submit([operation]) { continuation.resume(returning: $0) }
        }
    }

    private static func user(
        _ number: UInt64, _ handle: String, in store: SQLiteStore
    ) async throws -> (user: UserID, device: DeviceID) {
        let now = Timestamp(milliseconds: 1)
        let user = UserID(rawValue: number)
        let device = DeviceID(rawValue: number + 100)
        _ = try await store.createUser(
            NewUser(
                id: user, handle: handle, displayName: handle, passwordHash: "x", phone: nil, email: nil,
                createdAt: now))
        _ = try await store.createDevice(
            NewDevice(id: device, user: user, name: "d", platform: "p", createdAt: now),
            refreshToken: NewRefreshToken(
                hash: [UInt8](repeating: UInt8(number), count: 32), expiresAt: Timestamp(milliseconds: 1_000_000)))
        return (user, device)
    }

    @Test("How the last ones left the file is told without opening it")
    func lastStop() async throws {
        try await TemporaryStore.withFolder { folder in
            let path = folder + "/baton.db"
            #expect(try StoreInspector.lastStop(path: path) == .clean)
            let whileOpen = try await TemporaryStore.open(StoreSettings(path: path)) { _ in
                try StoreInspector.lastStop(path: path)
            }
            #expect(whileOpen == .running)
            #expect(try StoreInspector.lastStop(path: path) == .clean)
            // What a process leaves behind that was killed: its mark, and no lock.
            try FileLock(path: path + "-alive").mark(true)
            #expect(try StoreInspector.lastStop(path: path) == .unclean)
            let gate = try FileLock(path: path + "-gate")
            #expect(gate.tryLock())
            #expect(try StoreInspector.lastStop(path: path) == .running)
        }
    }
}
