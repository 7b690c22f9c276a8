import BatonCore

/// What every `ConversationStore` does. Each case is given an empty store.
package enum ConversationStoreConformance {
    package typealias Case = ConformanceCase<any ConversationFixture>

    package static var cases: [Case] { listCases + historyCases + acquaintanceCases }

    private static let start = Timestamp(milliseconds: 1_767_225_600_000)
    private static let alice = UserID(rawValue: 101)
    private static let bob = UserID(rawValue: 202)
    private static let carol = UserID(rawValue: 303)

    private static func device(of user: UserID) -> DeviceID { DeviceID(rawValue: user.rawValue + 1_000) }
    private static func time(_ seconds: Int64) -> Timestamp { start.advanced(byMilliseconds: seconds * 1_000) }
    private static func sequence(_ number: UInt64) -> ConversationSequence { ConversationSequence(rawValue: number) }

    private static func direct(_ one: UserID, _ other: UserID) throws -> ConversationID {
        try require(ConversationID(between: one, and: other))
    }

    /// Three users, each with a device.
    private static func populate(_ fixture: any ConversationFixture) async throws {
        for (user, handle) in [(alice, "alice"), (bob, "bob"), (carol, "carol")] {
            let new = NewUser(
                id: user, handle: handle, displayName: handle.uppercased(), passwordHash: "", phone: nil, email: nil,
                createdAt: start)
            _ = try await fixture.accounts.createUser(new)
            let device = NewDevice(
                id: device(of: user), user: user, name: "Phone", platform: "test", createdAt: start)
            let token = NewRefreshToken(
                hash: Array(repeating: UInt8(truncatingIfNeeded: user.rawValue), count: 32), expiresAt: time(3_600))
            _ = try await fixture.accounts.createDevice(device, refreshToken: token)
        }
    }

    /// Numbered messages, one a second, whose payload is their number.
    private static func converse(
        _ fixture: any ConversationFixture, from sender: UserID, to other: UserID, _ numbers: ClosedRange<UInt8>
    ) async throws {
        for number in numbers {
            _ = try await fixture.send(
                [number], from: sender, on: device(of: sender), to: other, ref: "\(other)-\(number)",
                at: time(Int64(number)))
        }
    }

    private static let listCases: [Case] = [
        Case("Conversations come with the latest first, both members, the last message and the exact unread") {
            fixture in
            try await populate(fixture)
            try await converse(fixture, from: alice, to: bob, 1...3)
            try await converse(fixture, from: carol, to: bob, 4...5)
            let found = try await fixture.conversations.conversations(of: bob, before: nil, limit: 10, bytes: .max)
                .items
            try expectEqual(found.map(\.id), [try direct(bob, carol), try direct(alice, bob)])
            try expectEqual(found.map(\.unread), [2, 3])
            try expectEqual(found.map(\.at), [time(5), time(3)])
            try expectEqual(found.map { $0.last?.payload }, [[5], [3]])
            let names = found[1].members.sorted { $0.user < $1.user }
            try expectEqual(names.map(\.handle), ["alice", "bob"])
            try expectEqual(names.map(\.displayName), ["ALICE", "BOB"])
            let own = try await fixture.conversations.conversations(of: alice, before: nil, limit: 10, bytes: .max)
                .items
            try expectEqual(own.map(\.unread), [0])
        },
        Case("Reading takes the unread away, up to the watermark") { fixture in
            try await populate(fixture)
            try await converse(fixture, from: alice, to: bob, 1...5)
            let id = try direct(alice, bob)
            try await fixture.read(id, by: bob, on: device(of: bob), upTo: sequence(3), at: time(9))
            let summary = try require(try await fixture.conversations.conversation(id, of: bob))
            try expectEqual(summary.unread, 2)
            let member = try require(summary.members.first { $0.user == bob })
            try expectEqual(member.read, sequence(3))
            try expectEqual(member.delivered >= member.read, true)
            // An own answer is not unread for oneself.
            try await converse(fixture, from: bob, to: alice, 10...10)
            try expectEqual(try await fixture.conversations.conversation(id, of: bob)?.unread, 2)
            try expectEqual(try await fixture.conversations.conversation(id, of: alice)?.unread, 1)
        },
        Case("The list is read page by page, also where two are equally old") { fixture in
            try await populate(fixture)
            for other in [alice, carol] {
                _ = try await fixture.send([1], from: other, on: device(of: other), to: bob, ref: "r", at: time(1))
            }
            let first = try await fixture.conversations.conversations(of: bob, before: nil, limit: 1, bytes: .max)
            let last = try require(first.items.first)
            let cursor = ConversationCursor(at: last.at, conversation: last.id)
            let second = try await fixture.conversations.conversations(of: bob, before: cursor, limit: 1, bytes: .max)
            try expectEqual(first.items.map(\.id), [try direct(bob, carol)])
            try expectEqual(second.items.map(\.id), [try direct(alice, bob)])
            try expectEqual([first.hasMore, second.hasMore], [true, false])
            let end = ConversationCursor(at: second.items[0].at, conversation: second.items[0].id)
            let third = try await fixture.conversations.conversations(of: bob, before: end, limit: 1, bytes: .max)
            try expectEqual(third, ListPage(items: [], hasMore: false))
        },
        Case("A page of the list ends with its bytes, and has one however large its message is") { fixture in
            try await populate(fixture)
            for (number, other) in [alice, carol].enumerated() {
                let payload = [UInt8](repeating: 1, count: 100)
                _ = try await fixture.send(
                    payload, from: other, on: device(of: other), to: bob, ref: "r", at: time(Int64(number)))
            }
            for (bytes, count) in [(1, 1), (199, 1), (200, 2)] {
                let page = try await fixture.conversations.conversations(of: bob, before: nil, limit: 9, bytes: bytes)
                try expectEqual(
                    page.items.map(\.id), Array([try direct(bob, carol), try direct(alice, bob)].prefix(count)))
                try expectEqual(page.hasMore, count < 2)
            }
        },
        Case("Who is no member finds nothing") { fixture in
            try await populate(fixture)
            try await converse(fixture, from: alice, to: bob, 1...1)
            let id = try direct(alice, bob)
            try expectEqual(try await fixture.conversations.conversation(id, of: carol), nil)
            try expectEqual(try await fixture.conversations.members(of: id, for: carol), nil)
            let history = try await fixture.conversations.history(
                of: id, for: carol, .before(nil), limit: 9, bytes: .max)
            try expectEqual(history, nil)
            let list = try await fixture.conversations.conversations(of: carol, before: nil, limit: 9, bytes: .max)
            try expectEqual(list.items, [])
            let absent = try direct(alice, carol)
            try expectEqual(try await fixture.conversations.conversation(absent, of: carol), nil)
            let none = try await fixture.conversations.history(
                of: absent, for: carol, .before(nil), limit: 9, bytes: .max)
            try expectEqual(none, nil)
            let members = try require(try await fixture.conversations.members(of: id, for: alice))
            try expectEqual(Set(members.map(\.user)), [alice, bob])
        },
    ]

    private static let historyCases: [Case] = [
        Case("History is ascending, in both directions, and ends at the limit") { fixture in
            try await populate(fixture)
            try await converse(fixture, from: alice, to: bob, 1...10)
            let id = try direct(alice, bob)
            let pages: [(range: HistoryRange, expected: [UInt8], hasMore: Bool)] = [
                (.before(nil), [8, 9, 10], true), (.before(sequence(8)), [5, 6, 7], true),
                (.before(sequence(4)), [1, 2, 3], false), (.before(sequence(2)), [1], false),
                (.before(sequence(1)), [], false), (.after(.zero), [1, 2, 3], true),
                (.after(sequence(3)), [4, 5, 6], true), (.after(sequence(7)), [8, 9, 10], false),
                (.after(sequence(9)), [10], false), (.after(sequence(10)), [], false),
                (.before(sequence(UInt64(Int64.max))), [8, 9, 10], true),
                (.after(sequence(UInt64(Int64.max))), [], false),
            ]
            for page in pages {
                let found = try require(
                    try await fixture.conversations.history(of: id, for: bob, page.range, limit: 3, bytes: .max))
                try expectEqual(found.items.map { $0.payload.first }, page.expected)
                try expectEqual(found.items.map { UInt8($0.id.sequence.rawValue) }, page.expected)
                try expectEqual(found.items.map(\.at), page.expected.map { time(Int64($0)) })
                try expectEqual(found.hasMore, page.hasMore)
            }
        },
        Case("A page of history ends with its bytes, from the end that is read on from, and has one message at least") {
            fixture in
            try await populate(fixture)
            for number in 1...6 {
                _ = try await fixture.send(
                    [UInt8](repeating: UInt8(number), count: 100), from: alice, on: device(of: alice), to: bob,
                    ref: "\(number)", at: time(Int64(number)))
            }
            let id = try direct(alice, bob)
            let pages: [(range: HistoryRange, bytes: Int, expected: [UInt8], hasMore: Bool)] = [
                (.before(nil), 1, [6], true), (.before(nil), 299, [5, 6], true), (.before(nil), 300, [4, 5, 6], true),
                (.before(nil), 600, [1, 2, 3, 4, 5, 6], false), (.after(.zero), 1, [1], true),
                (.after(.zero), 299, [1, 2], true), (.after(.zero), 300, [1, 2, 3], true),
                (.after(.zero), 600, [1, 2, 3, 4, 5, 6], false), (.after(sequence(5)), 1, [6], false),
            ]
            for page in pages {
                let found = try require(
                    try await fixture.conversations.history(of: id, for: bob, page.range, limit: 9, bytes: page.bytes))
                try expectEqual(found.items.map { $0.payload.first }, page.expected)
                try expectEqual(found.hasMore, page.hasMore)
            }
        },
    ]

    private static let acquaintanceCases: [Case] = [
        Case("Acquaintances have both written to the other, and neither blocked the other") { fixture in
            try await populate(fixture)
            func acquaintances(_ user: UserID) async throws -> Set<UserID> {
                try await fixture.conversations.acquaintances(of: user, among: [alice, bob, carol])
            }
            try await converse(fixture, from: alice, to: bob, 1...3)
            try await converse(fixture, from: carol, to: alice, 4...4)
            for user in [alice, bob, carol] { try expectEqual(try await acquaintances(user), []) }
            try await converse(fixture, from: bob, to: alice, 5...5)
            try await converse(fixture, from: alice, to: carol, 6...6)
            try expectEqual(try await acquaintances(alice), [bob, carol])
            try expectEqual(try await acquaintances(bob), [alice])
            try await fixture.accounts.block(bob, by: alice)
            try expectEqual(try await acquaintances(alice), [carol])
            try expectEqual(try await acquaintances(bob), [])
            try await fixture.accounts.unblock(bob, by: alice)
            try expectEqual(try await acquaintances(bob), [alice])
            try expectEqual(try await fixture.conversations.acquaintances(of: alice, among: []), [])
        }
    ]
}
