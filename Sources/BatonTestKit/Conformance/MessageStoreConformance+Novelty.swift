import BatonCore

extension MessageStoreConformance {
    static let noveltyCases: [Case] = [
        Case("A message tells that it made its conversation, and that nobody else has written there") { fixture in
            try await populate(fixture)
            let id = try direct(alice, bob)
            let sends: [(ref: String, sender: UserID, target: SendRequest.Target, novelty: SendNovelty)] = [
                ("a", alice, .user(bob), .all), ("b", alice, .user(bob), .stranger),
                ("c", alice, .conversation(id), .stranger), ("a", alice, .user(bob), []),
                // The answer is to somebody who has written.
                ("d", bob, .user(alice), []), ("e", alice, .user(bob), []), ("f", alice, .user(carol), .all),
            ]
            for send in sends {
                let sent = try await accepted(message(send.ref, from: send.sender, to: send.target), by: fixture)
                try expectEqual(sent.novelty, send.novelty)
            }
        },
        Case("What a sender has done too much of is refused, and nothing else") { fixture in
            try await populate(fixture)
            let id = try direct(alice, bob)
            try await accepted(message("first", from: alice, to: .user(bob)), by: fixture)
            for (number, target) in [SendRequest.Target.user(bob), .conversation(id)].enumerated() {
                let stranger = message("s\(number)", from: alice, to: target, refusing: .stranger)
                try expectEqual(await fixture.messages.perform(stranger), .refused(.limited(.strangers)))
                let known = message("k\(number)", from: alice, to: target, refusing: .conversation)
                try await accepted(known, by: fixture)
            }
            let new = message("new", from: alice, to: .user(carol), refusing: .all)
            try expectEqual(await fixture.messages.perform(new), .refused(.limited(.conversations)))
            let stranger = message("new", from: alice, to: .user(carol), refusing: .stranger)
            try expectEqual(await fixture.messages.perform(stranger), .refused(.limited(.strangers)))
            // The name is free, nothing was made, and what came first is why.
            try await accepted(message("new", from: alice, to: .user(carol)), by: fixture)
            let nobody = message("x", from: alice, to: .user(UserID(rawValue: 9)), refusing: .all)
            try expectEqual(await fixture.messages.perform(nobody), .refused(.unknownUser))
            // An answer makes them known.
            try await accepted(message("answer", from: bob, to: .user(alice)), by: fixture)
            try await accepted(message("more", from: alice, to: .user(bob), refusing: .all), by: fixture)
        },
        Case("A retry gets the first outcome, whatever is to be refused by now") { fixture in
            try await populate(fixture)
            let first = try await accepted(message("a", from: alice, to: .user(bob)), by: fixture)
            let again = try await accepted(
                message("a", from: alice, to: .user(bob), refusing: .all), by: fixture)
            try expectEqual([again.id], [first.id])
            try expectEqual(again.isRepeat, true)
            let other = message("a", from: alice, to: .user(bob), payload: [9], refusing: .all)
            try expectEqual(await fixture.messages.perform(other), .refused(.refReused(first: first.id)))
        },
    ]

    private static func message(
        _ ref: String, from sender: UserID, to target: SendRequest.Target, payload: [UInt8]? = nil,
        refusing: SendNovelty
    ) -> StoreOperation {
        guard case .send(var request) = message(ref, from: sender, to: target, payload: payload) else {
            preconditionFailure("a message is a send")
        }
        request.refusing = refusing
        return .send(request)
    }
}
