import BatonCore

extension LivenessConformance {
    static let presenceCases: [LivenessConformance] = [
        .init("A heartbeat brings a user online, and the first one says so") { subject in
            try expect(
                try await presence(subject.two, [alice]), [alice: .offline(lastSeen: nil)], "never seen")
            try expect(try await heartbeat(subject.one, [alice, bob]), [alice, bob], "came online")
            try expect(try await heartbeat(subject.two, [alice, bob, carol]), [carol], "came online later")
            try expect(try await presence(subject.two, [alice, carol]), [alice: .online, carol: .online], "presence")
        },
        .init("Who has a session left anywhere does not go offline") { subject in
            _ = try await heartbeat(subject.one, [alice, bob])
            let session = try session(alice, phone, generation: 1)
            _ = try await write(subject.two, session)
            let later = now.advanced(byMilliseconds: 5_000)
            try expect(try await leave(subject.one, [alice, bob], later), [bob], "went offline")
            try expect(
                try await presence(subject.two, [alice, bob]),
                [alice: .online, bob: .offline(lastSeen: later)], "presence")
            _ = try await remove(subject.two, session)
            try expect(try await leave(subject.two, [alice], later), [alice], "went offline at last")
            try expect(
                try await presence(subject.one, [alice]), [alice: .offline(lastSeen: later)], "presence at last")
        },
        .init("Leaving twice is answered twice, and does not move the time of being last seen") { subject in
            _ = try await heartbeat(subject.one, [alice])
            try expect(try await leave(subject.one, [alice], now), [alice], "went offline")
            let later = now.advanced(byMilliseconds: 60_000)
            try expect(try await leave(subject.one, [alice], later), [alice], "is offline")
            try expect(try await presence(subject.one, [alice]), [alice: .offline(lastSeen: now)], "last seen")
        },
        .init("Asking for nobody is answered with nobody") { subject in
            try expect(try await presence(subject.one, []), [:], "presence")
            try expect(try await heartbeat(subject.one, []), [], "came online")
            try expect(try await leave(subject.one, [], now), [], "went offline")
        },
    ]

    private static func heartbeat(_ node: LivenessSubject.Node, _ users: [UserID]) async throws -> [UserID]? {
        try await node.ask { ports, answer in ports.presence.heartbeat(users, at: now, completion: answer) }
    }

    private static func leave(
        _ node: LivenessSubject.Node, _ users: [UserID], _ time: Timestamp
    ) async throws -> [UserID]? {
        try await node.ask { ports, answer in ports.presence.leave(users, at: time, completion: answer) }
    }

    private static func presence(
        _ node: LivenessSubject.Node, _ users: [UserID]
    ) async throws -> [UserID: Presence]? {
        try await node.ask { ports, answer in ports.presence.presence(of: users, completion: answer) }
    }
}
