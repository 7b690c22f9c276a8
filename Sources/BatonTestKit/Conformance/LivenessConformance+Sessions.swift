import BatonCore

extension LivenessConformance {
    static let sessionCases: [LivenessConformance] = [
        .init("A newer connection of a device displaces the older, never the other way round") { subject in
            let older = try session(alice, phone, on: "one", generation: 10)
            let newer = try session(alice, phone, on: "two", generation: 11)
            try expect(try await register(subject.one, older), .registered(displaced: false), "the first")
            try expect(try await register(subject.one, older), .registered(displaced: false), "the same again")
            try expect(try await register(subject.two, newer), .registered(displaced: true), "the newer")
            try expect(
                try await register(subject.one, older), .superseded(by: newer.generation), "the older again")
            let other = try session(alice, laptop, generation: 1)
            try expect(try await register(subject.one, other), .registered(displaced: false), "another device")
        },
        .init("Generations compare as numbers over their whole range") { subject in
            let generations: [UInt64] = [0, 9, 10, 31, 32, 1 << 40, .max - 1, .max]
            for (index, generation) in generations.enumerated() {
                let session = try session(alice, phone, generation: generation)
                let expected = SessionRegistration.registered(displaced: index > 0)
                try expect(try await register(subject.one, session), expected, "generation \(generation)")
            }
            let before = try session(alice, phone, generation: .max - 1)
            let last = ConnectionGeneration(rawValue: .max)
            try expect(try await register(subject.one, before), .superseded(by: last), "one before the last")
        },
        .init("A new connection behind a clock that went back takes the session with a generation above the held") {
            subject in
            let ahead = try session(alice, phone, on: "one", generation: 1_000)
            let behind = try session(alice, phone, on: "two", generation: 10)
            _ = try await register(subject.one, ahead)
            guard case .superseded(let held)? = try await register(subject.two, behind) else {
                throw Violation(description: "a lower generation displaced a higher one")
            }
            let above = try session(alice, phone, on: "two", generation: held.next.rawValue)
            try expect(try await register(subject.two, above), .registered(displaced: true), "above the held")
            try expect(try await renew(subject.one, [ahead]), [ahead], "displaced")
            try expect(try await renew(subject.two, [above]), [], "of the new one displaced")
        },
        .init("An old connection cannot remove a newer one's session") { subject in
            let older = try session(alice, phone, on: "one", generation: 10)
            let newer = try session(alice, phone, on: "two", generation: 11)
            _ = try await register(subject.one, older)
            _ = try await register(subject.two, newer)
            try expect(try await remove(subject.one, older), 1, "remaining after the old one left")
            try expect(try await renew(subject.two, [newer]), [], "displaced")
            try expect(try await remove(subject.two, newer), 0, "remaining after the new one left")
        },
        .init("A renewal writes anew what was lost, and tells what was displaced") { subject in
            let mine = try session(alice, phone, on: "one", generation: 10)
            let lost = try session(bob, phone, on: "one", generation: 10)
            _ = try await register(subject.one, mine)
            _ = try await register(subject.two, try session(alice, phone, on: "two", generation: 11))
            try expect(try await renew(subject.one, [mine, lost]), [mine], "displaced")
            try expect(try await remove(subject.one, lost), 0, "the lost one was there again")
            try expect(try await remove(subject.one, mine), 1, "the displacing one stayed")
        },
        .init("Removing tells how many sessions the user has left") { subject in
            let phone = try session(alice, phone, generation: 1)
            let laptop = try session(alice, laptop, generation: 2)
            _ = try await register(subject.one, phone)
            _ = try await register(subject.two, laptop)
            try expect(try await remove(subject.one, phone), 1, "remaining")
            try expect(try await remove(subject.one, phone), 1, "remaining after removing twice")
            try expect(try await remove(subject.two, laptop), 0, "remaining at last")
        },
        .init("More sessions than one batch holds are renewed at once") { subject in
            let sessions = try (1...3_000).map { number in
                try session(UserID(rawValue: number), phone, generation: number)
            }
            try expect(try await renew(subject.one, sessions), [], "displaced")
            let newer = try session(UserID(rawValue: 2_999), phone, on: "two", generation: 3_001)
            try expect(try await register(subject.two, newer), .registered(displaced: true), "the newer")
            try expect(try await renew(subject.one, sessions), [sessions[2_998]], "displaced")
        },
    ]

    static func register(_ node: LivenessSubject.Node, _ session: Session) async throws -> SessionRegistration? {
        try await node.ask { ports, answer in ports.sessions.register(session, completion: answer) }
    }

    static func renew(_ node: LivenessSubject.Node, _ sessions: [Session]) async throws -> [Session] {
        try await node.ask { ports, answer in ports.sessions.renew(sessions, completion: answer) }
    }

    static func remove(_ node: LivenessSubject.Node, _ session: Session) async throws -> Int? {
        try await node.ask { ports, answer in ports.sessions.remove(session, completion: answer) }
    }
}
