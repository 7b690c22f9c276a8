import BatonCore

extension MessageStoreConformance {
    static let receiptCases: [Case] = [
        Case("An acknowledgement makes one receipt for each conversation that moved") { fixture in
            try await populate(fixture)
            for ref in ["a", "b", "c"] { try await accepted(message(ref, from: alice, to: .user(bob)), by: fixture) }
            try await accepted(message("d", from: carol, to: .user(bob)), by: fixture)
            let outcome = await fixture.messages.perform(ack(4, by: bob, at: 7))
            guard case .acknowledged(let events) = outcome else {
                throw ConformanceFailure(description: "answered with \(outcome)")
            }
            func receipt(_ peer: UserID, _ number: UInt64) throws -> InboxEvent {
                let receipt = Receipt(
                    conversation: try direct(peer, bob), user: bob, delivered: sequence(number), read: .zero,
                    at: time(7))
                return InboxEvent(user: peer, sequence: position(1), body: .receipt(receipt))
            }
            try expectEqual(Set(events), [try receipt(alice, 3), try receipt(carol, 1)])
            try expectEqual(try await fixture.messages.inbox(of: alice).events, [try receipt(alice, 3)])
            // A receipt's acknowledgement makes no receipt, and an older acknowledgement nothing at all.
            try expectEqual(await fixture.messages.perform(ack(1, by: alice)), .acknowledged(events: []))
            try expectEqual(await fixture.messages.perform(ack(2, by: bob)), .acknowledged(events: []))
        },
        Case("An acknowledgement beyond the end is refused") { fixture in
            try await populate(fixture)
            try await accepted(message("a", from: alice, to: .user(bob)), by: fixture)
            for number in [2, UInt64(Int64.max), UInt64.max] {
                try expectEqual(
                    await fixture.messages.perform(ack(number, by: bob)), .refused(.beyondLast(last: 1)))
            }
        },
        Case("The delivered watermark is moved by the first device, and never back") { fixture in
            try await populate(fixture)
            try await fixture.addDevice(laptop(of: bob), of: bob)
            for ref in ["a", "b"] { try await accepted(message(ref, from: alice, to: .user(bob)), by: fixture) }
            let operations = [
                ack(2, by: bob), ack(1, by: bob, on: laptop(of: bob)), ack(2, by: bob, on: laptop(of: bob)),
            ]
            let counts = await fixture.messages.perform(operations).map { outcome -> Int? in
                if case .acknowledged(let events) = outcome { events.count } else { nil }
            }
            try expectEqual(counts, [1, 0, 0])
        },
        Case("Reading moves both watermarks and tells the peer, and the own other devices") { fixture in
            try await populate(fixture)
            let id = try direct(alice, bob)
            for ref in ["a", "b", "c"] { try await accepted(message(ref, from: alice, to: .user(bob)), by: fixture) }
            let outcome = await fixture.messages.perform(read(id, upTo: 2, by: bob))
            let receipt = Receipt(conversation: id, user: bob, delivered: sequence(2), read: sequence(2), at: time(0))
            let event = InboxEvent(user: alice, sequence: position(1), body: .receipt(receipt))
            try expectEqual(outcome, .markedRead(events: [event]))
            try expectEqual(await fixture.messages.perform(read(id, upTo: 1, by: bob)), .markedRead(events: []))
            // What was read need not be delivered again; what was not, is.
            try expectEqual(await fixture.messages.perform(ack(2, by: bob)), .acknowledged(events: []))
            try await fixture.addDevice(laptop(of: bob), of: bob)
            guard case .markedRead(let events) = await fixture.messages.perform(read(id, upTo: 3, by: bob)) else {
                throw ConformanceFailure(description: "not marked as read")
            }
            try expectEqual(Set(events.map(\.user)), [alice, bob])
        },
        Case("Reading beyond the last message, or elsewhere, is refused") { fixture in
            try await populate(fixture)
            let id = try direct(alice, bob)
            try expectEqual(await fixture.messages.perform(read(id, upTo: 1, by: bob)), .refused(.unknownConversation))
            try await accepted(message("a", from: alice, to: .user(bob)), by: fixture)
            try expectEqual(await fixture.messages.perform(read(id, upTo: 2, by: bob)), .refused(.beyondLast(last: 1)))
            try expectEqual(
                await fixture.messages.perform(read(id, upTo: .max, by: bob)), .refused(.beyondLast(last: 1)))
            try expectEqual(
                await fixture.messages.perform(read(id, upTo: 1, by: carol)), .refused(.unknownConversation))
        },
        Case("Unread counts are exact wherever the watermark stands among both users' messages") { fixture in
            try await populate(fixture)
            let id = try direct(alice, bob)
            // Runs of different lengths, over more than two anchors of the history's index.
            let isOwn = (1...90).map { $0 % 7 < 3 || $0 % 5 == 0 }
            let messages = isOwn.enumerated().map { index, isOwn in
                message("\(index)", from: isOwn ? bob : alice, to: .user(isOwn ? alice : bob))
            }
            _ = await fixture.messages.perform(messages)
            for watermark in [1, 2, 31, 32, 33, 40, 63, 64, 65, 80, 89] {
                let outcome = await fixture.messages.perform(read(id, upTo: UInt64(watermark), by: bob))
                guard case .markedRead = outcome else {
                    throw ConformanceFailure(description: "answered with \(outcome)")
                }
                let expected = isOwn.dropFirst(watermark).count { !$0 }
                try expectEqual(try await fixture.unread(of: bob, in: id), expected)
            }
            try await accepted(message("x", from: alice, to: .user(bob)), by: fixture)
            try expectEqual(try await fixture.unread(of: bob, in: id), isOwn[89] ? 1 : 2)
            _ = await fixture.messages.perform(read(id, upTo: 91, by: bob))
            try expectEqual(try await fixture.unread(of: bob, in: id), 0)
        },
    ]

    static let inboxCases: [Case] = [
        Case("An inbox is read page by page, by events and by bytes") { fixture in
            try await populate(fixture)
            for number in 1...10 {
                let payload = [UInt8](repeating: UInt8(number), count: 100)
                try await accepted(
                    message("\(number)", from: alice, to: .user(bob), payload: payload), by: fixture)
            }
            func page(after: UInt64, limit: Int = 100, bytes: Int = .max) async throws -> [UInt64] {
                let page = try await fixture.messages.inbox(of: bob, after: after, limit: limit, bytes: bytes)
                try expectEqual(page.head, position(10))
                return page.events.map(\.sequence.rawValue)
            }
            let cost = 100 + InboxEvent.flatCost
            try expectEqual(try await page(after: 0, limit: 3), [1, 2, 3])
            try expectEqual(try await page(after: 3, limit: 3), [4, 5, 6])
            try expectEqual(try await page(after: 0, bytes: 3 * cost), [1, 2, 3])
            try expectEqual(try await page(after: 0, bytes: 3 * cost - 1), [1, 2])
            // At least one, whatever it costs.
            try expectEqual(try await page(after: 5, limit: 0, bytes: 0), [6])
            try expectEqual(try await page(after: 10), [])
            try expectEqual(try await page(after: .max), [])
            let nobody = try await fixture.messages.inbox(of: UserID(rawValue: 9))
            try expectEqual(nobody, InboxPage(events: [], truncated: .zero, head: .zero))
        },
        Case("A device begins at the inbox' end, and its cursor follows its acknowledgements") { fixture in
            try await populate(fixture)
            for ref in ["a", "b", "c"] { try await accepted(message(ref, from: alice, to: .user(bob)), by: fixture) }
            let phone = try require(try await fixture.messages.state(of: bob, device: device(of: bob)))
            try expectEqual(phone.cursor, .zero)
            try expectEqual(phone.head, position(3))
            try expectEqual(phone.epoch.rawValue != 0, true)
            try await fixture.addDevice(laptop(of: bob), of: bob)
            let laptopState = try require(try await fixture.messages.state(of: bob, device: laptop(of: bob)))
            try expectEqual(laptopState.cursor, position(3))
            try expectEqual(laptopState.epoch, phone.epoch)
            _ = await fixture.messages.perform(ack(2, by: bob))
            let moved = try await fixture.messages.state(of: bob, device: device(of: bob))
            try expectEqual(moved?.cursor, position(2))
            try expectEqual(try await fixture.messages.state(of: alice, device: device(of: bob)), nil)
        },
        Case("Events stay until every active device has passed them") { fixture in
            try await populate(fixture)
            try await fixture.addDevice(laptop(of: bob), of: bob)
            for ref in ["a", "b", "c"] { try await accepted(message(ref, from: alice, to: .user(bob)), by: fixture) }
            _ = await fixture.messages.perform([ack(3, by: bob), ack(1, by: bob, on: laptop(of: bob))])
            let slow = try await fixture.messages.inbox(of: bob, after: 1)
            try expectEqual(slow.events.map(\.sequence.rawValue), [2, 3])
            try expectEqual(slow.truncated <= position(1), true)
            // What is gone is said: whoever stands before it must know.
            let all = try await fixture.messages.inbox(of: bob)
            try expectEqual(all.events.first?.sequence, all.truncated.next)
            try await fixture.revoke(laptop(of: bob), of: bob)
            let rest = try await fixture.messages.inbox(of: bob)
            try expectEqual(rest.truncated <= position(3), true)
            try expectEqual(rest.events.map(\.sequence.rawValue), Array((rest.truncated.rawValue + 1)..<4))
            // A revoked device is no reason to forget the sequence.
            let next = try await accepted(message("d", from: alice, to: .user(bob)), by: fixture)
            try expectEqual(next.events.map(\.sequence), [position(4)])
        },
        Case("Of many devices the newest connections are told at once, of revoked and unknown ones none") { fixture in
            try await populate(fixture)
            try await fixture.addDevice(laptop(of: bob), of: bob)
            let devices = [device(of: alice), device(of: bob), laptop(of: bob), DeviceID(rawValue: 9)]
            let before = try await fixture.messages.newest(of: devices)
            try expectEqual(Set(before.keys), Set(devices.dropLast()))
            var last: ConnectionGeneration?
            for _ in 0..<2 {
                let request = ConnectRequest(user: bob, device: device(of: bob), at: time(1))
                guard case .connected(_, let number) = await fixture.messages.perform(.connect(request)) else {
                    throw ConformanceFailure(description: "not connected")
                }
                last = number
            }
            try await fixture.revoke(laptop(of: bob), of: bob)
            let after = try await fixture.messages.newest(of: devices)
            try expectEqual(
                after, [device(of: alice): try require(before[device(of: alice)]), device(of: bob): try require(last)])
            try expectEqual(try await fixture.messages.newest(of: []), [:])
        },
        Case("Whoever has no device gets messages in the conversation, and a new device begins behind them") {
            fixture in
            try await populate(fixture)
            try await fixture.revoke(device(of: bob), of: bob)
            let sent = try await accepted(message("a", from: alice, to: .user(bob)), by: fixture)
            try expectEqual(sent.events.map(\.sequence), [position(1)])
            try await fixture.addDevice(laptop(of: bob), of: bob)
            let state = try require(try await fixture.messages.state(of: bob, device: laptop(of: bob)))
            try expectEqual([state.head, state.cursor], [position(1), position(1)])
            try expectEqual(try await fixture.messages.inbox(of: bob, after: 1).events, [])
            try expectEqual(try await fixture.unread(of: bob, in: try direct(alice, bob)), 1)
        },
    ]
}
