import BatonCore

extension LivenessConformance {
    static let sessionCases: [LivenessConformance] = [
        .init("A newer connection of a device displaces the older, never the other way round") { subject in
            let older = try session(alice, phone, on: "one", generation: 10)
            let newer = try session(alice, phone, on: "two", generation: 11)
            try expect(try await write(subject.one, older), .written, "the first")
            try expect(try await write(subject.one, older), .renewed, "the same again")
            try expect(try await write(subject.two, newer), .displacedOlder, "the newer")
            try expect(try await write(subject.one, older), .heldByNewer, "the older again")
            let other = try session(alice, laptop, generation: 1)
            try expect(try await write(subject.one, other), .written, "another device")
        },
        .init("Generations compare as numbers over their whole range") { subject in
            let generations: [UInt64] = [0, 9, 10, 31, 32, 1 << 40, .max - 1, .max]
            for (index, generation) in generations.enumerated() {
                let session = try session(alice, phone, generation: generation)
                let expected: SessionWriting = index > 0 ? .displacedOlder : .written
                try expect(try await write(subject.one, session), expected, "generation \(generation)")
            }
            let before = try session(alice, phone, generation: .max - 1)
            try expect(try await write(subject.one, before), .heldByNewer, "one before the last")
        },
        .init("Of two connections without a number the first holds the session, until the second has one") { subject in
            let first = try session(alice, phone, on: "one", generation: 0)
            let second = try session(alice, phone, on: "two", generation: 0)
            try expect(try await write(subject.one, first), .written, "the first")
            try expect(try await write(subject.two, second), .heldByNewer, "the second")
            try expect(try await write(subject.one, first), .renewed, "the first again")
            let numbered = try session(alice, phone, on: "two", generation: 1)
            try expect(try await write(subject.two, numbered), .displacedOlder, "the second, numbered")
            try expect(try await write(subject.one, first), .heldByNewer, "the first at last")
        },
        .init("An old connection cannot remove a newer one's session") { subject in
            let older = try session(alice, phone, on: "one", generation: 10)
            let newer = try session(alice, phone, on: "two", generation: 11)
            _ = try await write(subject.one, older)
            _ = try await write(subject.two, newer)
            try expect(try await remove(subject.one, older), 1, "remaining after the old one left")
            try expect(try await write(subject.two, newer), .renewed, "the newer one")
            try expect(try await remove(subject.two, newer), 0, "remaining after the new one left")
        },
        .init("Writing tells of each session what became of it") { subject in
            let mine = try session(alice, phone, on: "one", generation: 10)
            let lost = try session(bob, phone, on: "one", generation: 10)
            _ = try await write(subject.one, mine)
            _ = try await write(subject.two, try session(alice, phone, on: "two", generation: 11))
            let outcomes = try await write(subject.one, [mine, lost])
            try expect(outcomes, [mine: .heldByNewer, lost: .written], "outcomes")
            try expect(try await remove(subject.one, lost), 0, "the lost one was there again")
            try expect(try await remove(subject.one, mine), 1, "the displacing one stayed")
        },
        .init("Removing tells how many sessions the user has left") { subject in
            let phone = try session(alice, phone, generation: 1)
            let laptop = try session(alice, laptop, generation: 2)
            _ = try await write(subject.one, phone)
            _ = try await write(subject.two, laptop)
            try expect(try await remove(subject.one, phone), 1, "remaining")
            try expect(try await remove(subject.one, phone), 1, "remaining after removing twice")
            try expect(try await remove(subject.two, laptop), 0, "remaining at last")
        },
        .init("More sessions than one batch holds are renewed at once") { subject in
            let sessions = try (1...3_000).map { number in
                try session(UserID(rawValue: number), phone, generation: number)
            }
            let outcomes = try await write(subject.one, sessions)
            try expect(outcomes, Dictionary(uniqueKeysWithValues: sessions.map { ($0, .written) }), "outcomes")
            let newer = try session(UserID(rawValue: 2_999), phone, on: "two", generation: 3_001)
            try expect(try await write(subject.two, newer), .displacedOlder, "the newer")
            let again = try await write(subject.one, sessions)
            try expect(again.filter { $0.value != .renewed }, [sessions[2_998]: .heldByNewer], "not renewed")
        },
    ]

    static func write(_ node: LivenessSubject.Node, _ session: Session) async throws -> SessionWriting? {
        try await write(node, [session])[session]
    }

    static func write(
        _ node: LivenessSubject.Node, _ sessions: [Session]
    ) async throws -> [Session: SessionWriting] {
        try await node.ask { ports, answer in ports.sessions.write(sessions, completion: answer) }
    }

    static func remove(_ node: LivenessSubject.Node, _ session: Session) async throws -> Int? {
        try await node.ask { ports, answer in ports.sessions.remove(session, completion: answer) }
    }
}
