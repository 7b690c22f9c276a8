import BatonCore

extension LivenessConformance {
    /// Any message: where only the way that it takes is looked at.
    private static let sample = BusMessage.head(InboxSequence(rawValue: 1))

    static let busCases: [LivenessConformance] = [
        .init("What is published after a confirmed subscription arrives, on the other node, in order") { subject in
            try expect(try await subscribe(subject.two, .user(bob)), true, "confirmed")
            let messages: [BusMessage] = [
                .event(InboxSequence(rawValue: 7), frame: Array(0...255)),
                .event(InboxSequence(rawValue: UInt64(Int64.max)), frame: []),
                .typing(ConversationID(group: 9), by: alice, active: true),
                .typing(ConversationID(group: 9), by: alice, active: false),
                .displaced(phone, by: ConnectionGeneration(rawValue: .max)),
                .revoked(laptop),
                .acquaintance(carol),
                .presence(alice, .online),
                .presence(alice, .offline(lastSeen: now)),
                .presence(alice, .offline(lastSeen: nil)),
                .head(InboxSequence(rawValue: 7)),
            ]
            for message in messages {
                try expect(try await publish(subject.one, message, .user(bob)), 1, "receivers")
            }
            let events: [RecordingBusReceiver.Event] = try await subject.two.ask { ports, answer in
                ports.receiver.whenThere(are: messages.count, answer)
            }
            try expect(events, messages.map { .message($0, .user(bob)) }, "received")
        },
        .init("A message reaches the subscribers of its channel only, each once, the publisher among them") { subject in
            for channel in [BusChannel.user(alice), .watch(alice)] {
                _ = try await subscribe(subject.one, channel)
            }
            _ = try await subscribe(subject.two, .user(alice))
            try expect(try await publish(subject.one, sample, .user(bob)), 0, "nobody subscribed")
            try expect(try await publish(subject.one, sample, .watch(alice)), 1, "one subscribed")
            try expect(try await publish(subject.one, sample, .user(alice)), 2, "both subscribed")
            let first: [RecordingBusReceiver.Event] = try await subject.one.ask { ports, answer in
                ports.receiver.whenThere(are: 2, answer)
            }
            let expected: [BusChannel] = [.watch(alice), .user(alice)]
            try expect(first, expected.map { .message(sample, $0) }, "received")
            let second: [RecordingBusReceiver.Event] = try await subject.two.ask { ports, answer in
                ports.receiver.whenThere(are: 1, answer)
            }
            try expect(second, [.message(sample, .user(alice))], "received by the other node")
        },
        .init("Nothing arrives after unsubscribing, and again after subscribing anew") { subject in
            _ = try await subscribe(subject.two, .user(bob))
            try await subject.two.tell { $0.bus.unsubscribe(.user(bob)) }
            // The other channel's confirmation comes behind the one of unsubscribing.
            _ = try await subscribe(subject.two, .user(carol))
            try expect(try await publish(subject.one, sample, .user(bob)), 0, "receivers")
            try expect(try await subscribe(subject.two, .user(bob)), true, "confirmed again")
            try expect(try await publish(subject.one, .revoked(phone), .user(bob)), 1, "receivers")
            let events: [RecordingBusReceiver.Event] = try await subject.two.ask { ports, answer in
                ports.receiver.whenThere(are: 1, answer)
            }
            try expect(events, [.message(.revoked(phone), .user(bob))], "received")
        },
        .init("Subscribing, unsubscribing and subscribing in one breath ends subscribed, and each is answered") {
            subject in
            let answers: [Bool] = try await subject.two.ask { ports, answer in
                var answers: [Bool] = []
                let note = { (isConfirmed: Bool) in
                    answers.append(isConfirmed)
                    if answers.count == 2 { answer(answers) }
                }
                ports.bus.subscribe(.user(bob), confirmed: note)
                ports.bus.unsubscribe(.user(bob))
                ports.bus.subscribe(.user(bob), confirmed: note)
            }
            try expect(answers.last, true, "the last subscription")
            try expect(try await publish(subject.one, sample, .user(bob)), 1, "receivers")
        },
    ]

    private static func subscribe(_ node: LivenessSubject.Node, _ channel: BusChannel) async throws -> Bool {
        try await node.ask { ports, answer in ports.bus.subscribe(channel, confirmed: answer) }
    }

    private static func publish(
        _ node: LivenessSubject.Node, _ message: BusMessage, _ channel: BusChannel
    ) async throws -> Int? {
        try await node.ask { ports, answer in ports.bus.publish(message, to: channel, receivers: answer) }
    }
}
