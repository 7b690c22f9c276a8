import BatonCore

/// What every `MessageStore` does. Each case is given an empty store.
package enum MessageStoreConformance {
    package typealias Case = ConformanceCase<any MessageFixture>

    package static var cases: [Case] {
        sendCases + noveltyCases + refCases + refusalCases + receiptCases + inboxCases + orderCases + idleCases
    }

    static let alice = UserID(rawValue: 101)
    /// With the highest bit: ids are unsigned.
    static let bob = UserID(rawValue: 0xf000_0000_0000_0202)
    static let carol = UserID(rawValue: 303)

    static func device(of user: UserID) -> DeviceID { DeviceID(rawValue: user.rawValue + 1_000) }
    static func laptop(of user: UserID) -> DeviceID { DeviceID(rawValue: user.rawValue + 2_000) }
    static func time(_ seconds: Int64) -> Timestamp {
        Timestamp(milliseconds: 1_767_225_600_000 + seconds * 1_000)
    }
    static func position(_ number: UInt64) -> InboxSequence { InboxSequence(rawValue: number) }
    static func sequence(_ number: UInt64) -> ConversationSequence { ConversationSequence(rawValue: number) }
    static func direct(_ one: UserID, _ other: UserID) throws -> ConversationID {
        try require(ConversationID(between: one, and: other))
    }

    /// Three users with a device each.
    static func populate(_ fixture: any MessageFixture) async throws {
        for user in [alice, bob, carol] {
            try await fixture.addUser(user)
            try await fixture.addDevice(device(of: user), of: user)
        }
    }

    static func message(
        _ ref: String, from sender: UserID, on device: DeviceID? = nil, to target: SendRequest.Target,
        payload: [UInt8]? = nil, at seconds: Int64 = 0
    ) -> StoreOperation {
        .send(
            SendRequest(
                sender: sender, device: device ?? self.device(of: sender), ref: ref, target: target,
                payload: payload ?? Array(ref.utf8), at: time(seconds)))
    }

    static func ack(
        _ number: UInt64, by user: UserID, on device: DeviceID? = nil, at seconds: Int64 = 0
    ) -> StoreOperation {
        .acknowledge(
            AcknowledgeRequest(
                user: user, device: device ?? self.device(of: user), position: position(number), at: time(seconds)))
    }

    static func read(
        _ conversation: ConversationID, upTo number: UInt64, by user: UserID, on device: DeviceID? = nil
    ) -> StoreOperation {
        .read(
            ReadRequest(
                user: user, device: device ?? self.device(of: user), conversation: conversation,
                sequence: sequence(number), at: time(0)))
    }

    /// Sends and expects it to be accepted.
    @discardableResult
    static func accepted(_ operation: StoreOperation, by fixture: any MessageFixture) async throws -> AcceptedMessage {
        let outcome = await fixture.messages.perform(operation)
        guard case .sent(let message) = outcome else {
            throw ConformanceFailure(description: "\(operation) was answered with \(outcome)")
        }
        return message
    }

    private static let sendCases: [Case] = [
        Case("A message to a user makes their conversation and goes into the recipient's inbox") { fixture in
            try await populate(fixture)
            let first = try await accepted(message("a", from: alice, to: .user(bob), at: 5), by: fixture)
            let id = MessageID(conversation: try direct(alice, bob), sequence: sequence(1))
            let stored = StoredMessage(id: id, at: time(5), payload: Array("a".utf8))
            let event = InboxEvent(user: bob, sequence: position(1), body: .message(stored))
            try expectEqual(
                first, AcceptedMessage(id: id, at: time(5), isRepeat: false, events: [event], novelty: .all))
            try expectEqual(
                try await fixture.messages.inbox(of: bob),
                InboxPage(events: [event], truncated: .zero, head: position(1)))
            try expectEqual(try await fixture.messages.inbox(of: alice).events, [])
            try expectEqual(
                try await fixture.messages.heads(of: [alice, bob, UserID(rawValue: 9)]),
                [alice: .zero, bob: position(1)])
        },
        Case("Both ends write into one conversation, whose sequence is dense") { fixture in
            try await populate(fixture)
            let id = try direct(alice, bob)
            for number in UInt64(1)...40 {
                let (sender, other) = number.isMultiple(of: 3) ? (bob, alice) : (alice, bob)
                let target = number == 1 ? SendRequest.Target.user(other) : .conversation(id)
                let sent = try await accepted(message("\(number)", from: sender, to: target), by: fixture)
                try expectEqual(sent.id, MessageID(conversation: id, sequence: sequence(number)))
            }
            let inbox = try await fixture.messages.inbox(of: bob)
            try expectEqual(inbox.events.map(\.sequence.rawValue), Array(1...27))
            try expectEqual(try await fixture.messages.inbox(of: alice).events.map(\.sequence.rawValue), Array(1...13))
        },
        Case("The first answer makes two users acquainted, no other message does") { fixture in
            try await populate(fixture)
            let turns: [(from: UserID, to: UserID, new: [UserID])] = [
                (alice, bob, []), (alice, bob, []), (bob, alice, [alice]), (bob, alice, []), (alice, bob, []),
                (carol, bob, []), (bob, carol, [carol]),
            ]
            for (number, turn) in turns.enumerated() {
                let operation = message("\(number)", from: turn.from, to: .user(turn.to))
                try expectEqual(try await accepted(operation, by: fixture).newAcquaintances, turn.new)
                try expectEqual(try await accepted(operation, by: fixture).newAcquaintances, [])
            }
        },
        Case("The operations of a submission are carried out in their order") { fixture in
            try await populate(fixture)
            let operations =
                (1...600).map { message("\($0)", from: alice, to: .user(bob)) } + [ack(600, by: bob)]
            let outcomes = await fixture.messages.perform(operations)
            try expectEqual(outcomes.count, 601)
            for (index, outcome) in outcomes.dropLast().enumerated() {
                guard case .sent(let sent) = outcome else {
                    throw ConformanceFailure(description: "operation \(index) was answered with \(outcome)")
                }
                try expectEqual(sent.id.sequence, sequence(UInt64(index + 1)))
            }
            guard case .acknowledged(let events) = outcomes.last else {
                throw ConformanceFailure(description: "not acknowledged")
            }
            try expectEqual(events.map(\.user), [alice])
        },
        Case("The sender's own inbox gets a copy where they have another device") { fixture in
            try await populate(fixture)
            try await fixture.addDevice(laptop(of: alice), of: alice)
            let first = try await accepted(message("a", from: alice, to: .user(bob)), by: fixture)
            try expectEqual(Set(first.events.map(\.user)), [alice, bob])
            try expectEqual(try await fixture.messages.inbox(of: alice).events.count, 1)
            // A copy of an own message is no receipt when it is acknowledged.
            let outcome = await fixture.messages.perform(ack(1, by: alice, on: laptop(of: alice)))
            try expectEqual(outcome, .acknowledged(events: []))
            try await fixture.revoke(laptop(of: alice), of: alice)
            let second = try await accepted(message("b", from: alice, to: .user(bob)), by: fixture)
            try expectEqual(second.events.map(\.user), [bob])
        },
        Case("The times of a conversation do not go back, but where they are far ahead of who writes") { fixture in
            try await populate(fixture)
            try await accepted(message("a", from: alice, to: .user(bob), at: 10), by: fixture)
            let second = try await accepted(message("b", from: bob, to: .user(alice), at: 4), by: fixture)
            try expectEqual(second.at, time(10))
            let other = try await accepted(message("c", from: carol, to: .user(bob), at: 4), by: fixture)
            try expectEqual(other.at, time(4))
            // A node whose clock is ten minutes ahead has written; a right one follows it by the bound, and then no more.
            let bound = Limits.Store.timesAheadMilliseconds / 1_000
            try expectEqual(
                try await accepted(message("d", from: alice, to: .user(bob), at: 610), by: fixture).at, time(610))
            for (second, expected) in [(11, 11 + bound), (12, 11 + bound), (12 + bound, 12 + bound)] {
                let right = message("e\(second)", from: bob, to: .user(alice), at: second)
                try expectEqual(try await accepted(right, by: fixture).at, time(expected))
            }
        },
        Case("An empty payload and a large one are stored as they are") { fixture in
            try await populate(fixture)
            let large = [UInt8](repeating: 0xff, count: Limits.Message.contentBytes + 200)
            try await accepted(message("a", from: alice, to: .user(bob), payload: []), by: fixture)
            try await accepted(message("b", from: alice, to: .user(bob), payload: large), by: fixture)
            let payloads = try await fixture.messages.inbox(of: bob).events.map { event -> [UInt8]? in
                guard case .message(let message) = event.body else { return nil }
                return message.payload
            }
            try expectEqual(payloads, [[], large])
        },
    ]

    private static let refCases: [Case] = [
        Case("A retry of an accepted message returns the first outcome and no events") { fixture in
            try await populate(fixture)
            let operation = message("a", from: alice, to: .user(bob), at: 1)
            let first = try await accepted(operation, by: fixture)
            let retry = message("a", from: alice, to: .user(bob), at: 99)
            let again = try await accepted(retry, by: fixture)
            try expectEqual(
                again,
                AcceptedMessage(id: first.id, at: first.at, isRepeat: true, events: [], heads: [bob: position(1)]))
            // Also by the conversation's id, which means the same, and twice in one batch.
            let other = message("a", from: alice, to: .conversation(try direct(alice, bob)), at: 99)
            try expectEqual(try await accepted(other, by: fixture).isRepeat, true)
            let twice = message("b", from: alice, to: .user(bob))
            let outcomes = await fixture.messages.perform([twice, twice])
            try expectEqual(
                outcomes.map { outcome -> Bool? in if case .sent(let sent) = outcome { sent.isRepeat } else { nil } },
                [false, true])
            try expectEqual(try await fixture.messages.heads(of: [bob])[bob], position(2))
        },
        Case("A retry tells how far the inboxes go by now that the message went into, and of no others") { fixture in
            try await populate(fixture)
            let operation = message("a", from: alice, to: .user(bob))
            try expectEqual(try await accepted(operation, by: fixture).heads, [:])
            try await accepted(message("b", from: carol, to: .user(bob)), by: fixture)
            try await accepted(message("c", from: alice, to: .user(carol)), by: fixture)
            try expectEqual(try await accepted(operation, by: fixture).heads, [bob: position(2)])
            // What the recipients have acknowledged, and whom they blocked, changes nothing.
            _ = await fixture.messages.perform(ack(2, by: bob))
            try await fixture.setBlock(of: alice, by: bob, isBlocked: true)
            try expectEqual(try await accepted(operation, by: fixture).heads[bob], position(2))
            // The sender's other devices are told too.
            try await fixture.addDevice(laptop(of: carol), of: carol)
            let copied = message("d", from: carol, to: .user(bob))
            let first = try await accepted(copied, by: fixture)
            let heads = first.events.reduce(into: [:]) { $0[$1.user] = $1.sequence }
            try expectEqual(Set(heads.keys), [bob, carol])
            try expectEqual(try await accepted(copied, by: fixture).heads, heads)
        },
        Case("The same ref with another payload or target is an error that names the first") { fixture in
            try await populate(fixture)
            let first = try await accepted(message("a", from: alice, to: .user(bob)), by: fixture)
            let changed = message("a", from: alice, to: .user(bob), payload: [1])
            try expectEqual(await fixture.messages.perform(changed), .refused(.refReused(first: first.id)))
            let elsewhere = message("a", from: alice, to: .user(carol))
            try expectEqual(await fixture.messages.perform(elsewhere), .refused(.refReused(first: first.id)))
            try expectEqual(try await fixture.messages.heads(of: [bob, carol]), [bob: position(1), carol: .zero])
        },
        Case("Refs belong to a device") { fixture in
            try await populate(fixture)
            try await fixture.addDevice(laptop(of: alice), of: alice)
            for device in [device(of: alice), laptop(of: alice)] {
                let operation = message("a", from: alice, on: device, to: .user(bob), payload: [1])
                try expectEqual(try await accepted(operation, by: fixture).isRepeat, false)
            }
            try expectEqual(
                try await accepted(message("a", from: bob, to: .user(alice)), by: fixture).isRepeat, false)
        },
        Case("A retry is recognised also where the message would be refused by now") { fixture in
            try await populate(fixture)
            let operation = message("a", from: alice, to: .user(bob))
            try await accepted(operation, by: fixture)
            try await fixture.setBlock(of: alice, by: bob, isBlocked: true)
            try expectEqual(try await accepted(operation, by: fixture).isRepeat, true)
        },
    ]

    private static let refusalCases: [Case] = [
        Case("A message is refused where it may not go") { fixture in
            try await populate(fixture)
            let absent = try direct(alice, bob)
            let attempts: [(StoreOperation, Refusal)] = [
                (message("a", from: alice, to: .conversation(absent)), .unknownConversation),
                (message("a", from: alice, to: .user(UserID(rawValue: 9))), .unknownUser),
                (message("a", from: alice, to: .user(UserID(rawValue: 0))), .unknownUser),
                (message("a", from: alice, to: .user(alice)), .sameUser),
                (message("a", from: alice, to: .conversation(ConversationID(group: 7))), .unknownConversation),
                (message("a", from: alice, on: device(of: bob), to: .user(bob)), .deviceRevoked(.loggedOut)),
                (message("a", from: alice, on: DeviceID(rawValue: 9), to: .user(bob)), .deviceRevoked(.loggedOut)),
            ]
            for (operation, refusal) in attempts {
                try expectEqual(await fixture.messages.perform(operation), .refused(refusal))
            }
            // A refused name is free, and a refusal among others harms nobody.
            let batch = [attempts[0].0, message("a", from: alice, to: .user(bob)), attempts[3].0]
            let outcomes = await fixture.messages.perform(batch)
            try expectEqual(outcomes.map { if case .sent = $0 { true } else { false } }, [false, true, false])
            let foreign = message("b", from: carol, to: .conversation(absent))
            try expectEqual(await fixture.messages.perform(foreign), .refused(.unknownConversation))
        },
        Case("A block stops both directions, in a new conversation and in an old one") { fixture in
            try await populate(fixture)
            try await fixture.setBlock(of: alice, by: bob, isBlocked: true)
            for (sender, other) in [(alice, bob), (bob, alice)] {
                let operation = message("a", from: sender, to: .user(other))
                try expectEqual(await fixture.messages.perform(operation), .refused(.blocked))
            }
            try await fixture.setBlock(of: alice, by: bob, isBlocked: false)
            try await accepted(message("a", from: alice, to: .user(bob)), by: fixture)
            try await fixture.setBlock(of: bob, by: alice, isBlocked: true)
            let operation = message("b", from: bob, to: .conversation(try direct(alice, bob)))
            try expectEqual(await fixture.messages.perform(operation), .refused(.blocked))
        },
        Case("A revoked device can do nothing") { fixture in
            try await populate(fixture)
            try await accepted(message("a", from: bob, to: .user(alice)), by: fixture)
            try await fixture.revoke(device(of: alice), of: alice)
            let id = try direct(alice, bob)
            for operation in [
                message("b", from: alice, to: .user(bob)), ack(1, by: alice), read(id, upTo: 1, by: alice),
            ] {
                try expectEqual(await fixture.messages.perform(operation), .refused(.deviceRevoked(.loggedOut)))
            }
            try expectEqual(try await fixture.messages.state(of: alice, device: device(of: alice)), nil)
        },
    ]
}
