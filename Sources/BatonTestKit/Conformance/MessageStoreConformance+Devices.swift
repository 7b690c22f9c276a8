import BatonCore

extension MessageStoreConformance {
    static let orderCases: [Case] = [
        Case("A message's events, and a reader's, come by user, in the order of ids") { fixture in
            try await populate(fixture)
            for user in [bob, carol] { try await fixture.addDevice(laptop(of: user), of: user) }
            let sent = try await accepted(message("a", from: bob, to: .user(carol)), by: fixture)
            try expectEqual(sent.events.map(\.user), [carol, bob])
            let read = await fixture.messages.perform(read(try direct(bob, carol), upTo: 1, by: carol))
            guard case .markedRead(let events) = read else {
                throw ConformanceFailure(description: "not marked as read: \(read)")
            }
            try expectEqual(events.map(\.user), [carol, bob])
        },
        Case("An acknowledgement's events come in the order in which its conversations first had a message") {
            fixture in
            try await populate(fixture)
            for (ref, sender) in [("a", carol), ("b", alice), ("c", carol)] {
                try await accepted(message(ref, from: sender, to: .user(bob)), by: fixture)
            }
            let outcome = await fixture.messages.perform(ack(3, by: bob))
            guard case .acknowledged(let events) = outcome else {
                throw ConformanceFailure(description: "not acknowledged: \(outcome)")
            }
            try expectEqual(events.map(\.user), [carol, alice])
        },
    ]

    private static func connect(
        _ user: UserID, on device: DeviceID, _ fixture: any MessageFixture
    ) async throws -> InboxState {
        let outcome = await fixture.messages.perform(
            .connect(ConnectRequest(user: user, device: device, at: time(100 * 86_400))))
        guard case .connected(let state, _) = outcome else {
            throw ConformanceFailure(description: "not connected: \(outcome)")
        }
        return state
    }

    static let idleCases: [Case] = [
        Case("Idle devices hold nothing back, until they connect again") { fixture in
            try await populate(fixture)
            try await accepted(message("a", from: alice, to: .user(bob)), by: fixture)
            try await fixture.idleDevices()
            let inbox = try await fixture.messages.inbox(of: bob)
            try expectEqual(inbox, InboxPage(events: [], truncated: position(1), head: position(1)))
            try expectEqual(try await fixture.messages.newest(of: [device(of: bob)]).count, 1)
            try await accepted(message("b", from: alice, to: .user(bob)), by: fixture)
            try expectEqual(try await fixture.messages.inbox(of: bob).events, [])

            // Only a connection ends it.
            let unconnected = try? await fixture.messages.state(of: bob, device: device(of: bob))
            try expectEqual(unconnected, nil)
            let state = try await connect(bob, on: device(of: bob), fixture)
            try expectEqual([state.cursor, state.truncated, state.head], [.zero, position(2), position(2)])
            try await accepted(message("c", from: alice, to: .user(bob)), by: fixture)
            try expectEqual(try await fixture.messages.inbox(of: bob).events.map(\.sequence), [position(3)])
        },
        Case("The sender's own inbox gets no copy for devices that are idle") { fixture in
            try await populate(fixture)
            try await fixture.addDevice(laptop(of: alice), of: alice)
            try await fixture.idleDevices()
            func recipients(_ ref: String) async throws -> Set<UserID> {
                Set(try await accepted(message(ref, from: alice, to: .user(bob)), by: fixture).events.map(\.user))
            }
            try expectEqual(try await recipients("a"), [bob])
            _ = try await connect(alice, on: device(of: alice), fixture)
            try expectEqual(try await recipients("b"), [bob])
            _ = try await connect(alice, on: laptop(of: alice), fixture)
            try expectEqual(try await recipients("c"), [alice, bob])
        },
    ]
}
