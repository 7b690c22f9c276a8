import BatonCore
import BatonStore
import BatonTestKit

/// Two users with a device each, and what they say.
struct People: Sendable {
    let alice = UserID(rawValue: 101)
    let bob = UserID(rawValue: 202)

    func device(of user: UserID) -> DeviceID { DeviceID(rawValue: user.rawValue + 1_000) }

    func register(in store: SQLiteStore) async throws {
        for user in [alice, bob] {
            try await store.fixture.addUser(user)
            try await store.fixture.addDevice(device(of: user), of: user)
        }
    }

    func message(
        _ ref: String, to recipient: UserID, payload: [UInt8]? = nil, at milliseconds: Int64 = 1_767_225_600_000
    ) -> StoreOperation {
        let sender = recipient == bob ? alice : bob
        return .send(
            SendRequest(
                sender: sender, device: device(of: sender), ref: ref, target: .user(recipient),
                payload: payload ?? Array(ref.utf8), at: Timestamp(milliseconds: milliseconds)))
    }

    func acknowledgement(of position: InboxSequence, by user: UserID) -> StoreOperation {
        .acknowledge(
            AcknowledgeRequest(
                user: user, device: device(of: user), position: position,
                at: Timestamp(milliseconds: 1_767_225_600_000)))
    }

    /// Alice writes to Bob, in one submission; the refs are `m1` and so on.
    func send(_ numbers: ClosedRange<Int>, at now: Timestamp, through store: SQLiteStore) async throws {
        let messages = numbers.map { message("m\($0)", to: bob, at: now.milliseconds) }
        for outcome in await store.perform(messages) {
            guard case .sent = outcome else { throw StoreError.unavailable("A message was not accepted: \(outcome)") }
        }
    }

    /// Sends one after the other, and returns the conversation's sequences.
    func exchange(_ count: Int, through store: SQLiteStore, prefix: String) async throws -> [UInt64] {
        var sequences: [UInt64] = []
        for number in 0..<count {
            let recipient = number.isMultiple(of: 2) ? bob : alice
            let outcome = await store.perform(message("\(prefix)-\(number)", to: recipient))
            guard case .sent(let sent) = outcome, let event = sent.events.first else { continue }
            sequences.append(sent.id.sequence.rawValue)
            _ = await store.perform(acknowledgement(of: event.sequence, by: recipient))
        }
        return sequences
    }
}

extension SQLiteStore {
    /// All of an inbox, page by page.
    func everything(of user: UserID) async throws -> [InboxEvent] {
        var events: [InboxEvent] = []
        while true {
            let page = try await inbox(of: user, after: events.last?.sequence.rawValue ?? 0, limit: 100)
            if page.events.isEmpty { return events }
            events += page.events
        }
    }
}
