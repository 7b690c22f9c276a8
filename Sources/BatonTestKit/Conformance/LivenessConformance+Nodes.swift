import BatonCore

extension LivenessConformance {
    static let nodeCases: [LivenessConformance] = [
        .init("A lease is its incarnation's until it is given up or a later one takes it") { subject in
            let earlier = try lease("one", incarnation: 1)
            let first = try lease("one", incarnation: 2, connections: 3)
            let second = try lease("one", incarnation: 3)
            try expect(try await renew(subject.two, earlier), true, "taken by the first start")
            try expect(try await renew(subject.one, first), true, "taken over by a later start")
            try expect(try await renew(subject.two, earlier), false, "renewed by the start that was succeeded")
            try expect(try await nodes(subject.two), [first], "the living")
            try await release(subject.two, second)
            try expect(try await nodes(subject.two), [first], "the living after a stranger's release")
            try await release(subject.one, first)
            try expect(try await nodes(subject.one), [], "the living after the release")
            try expect(try await renew(subject.two, second), true, "taken by the next incarnation")
        },
        .init("A renewal updates what the lease tells") { subject in
            var lease = try lease("one", incarnation: 1)
            _ = try await renew(subject.one, lease)
            lease.connections = 17
            lease.state = .evacuating
            try expect(try await renew(subject.one, lease), true, "renewed")
            _ = try await renew(subject.two, try Self.lease("two", incarnation: 5))
            try expect(try await nodes(subject.one), [lease, try Self.lease("two", incarnation: 5)], "the living")
        },
        .init("The sessions of dead nodes are removed, those of the living stay") { subject in
            let dead = try lease("one", incarnation: 1)
            _ = try await renew(subject.one, dead)
            _ = try await renew(subject.two, try lease("two", incarnation: 1))
            let survivor = try session(alice, laptop, on: "two", generation: 2)
            for session in [
                try session(alice, phone, on: "one", generation: 1), survivor,
                try session(bob, phone, on: "one", generation: 1), try session(bob, laptop, on: "one", generation: 1),
                try session(carol, phone, on: "two", generation: 1),
            ] {
                _ = try await write(subject.one, session)
            }
            try expect(try await cleanUp(subject.two), [], "orphaned while all live")
            try await release(subject.one, dead)
            try expect(try await cleanUp(subject.two), [bob], "orphaned")
            try expect(try await cleanUp(subject.two), [], "orphaned the next time")
            try expect(try await remove(subject.two, survivor), 0, "the survivor was the user's only session")
        },
        .init("A node that was restarted under its name is another one") { subject in
            let before = try lease("one", incarnation: 1)
            _ = try await renew(subject.one, before)
            _ = try await write(subject.one, try session(alice, phone, incarnation: 1, generation: 1))
            _ = try await write(subject.one, try session(bob, phone, incarnation: 2, generation: 1))
            try await release(subject.one, before)
            _ = try await renew(subject.one, try lease("one", incarnation: 2))
            try expect(try await cleanUp(subject.two), [alice], "orphaned")
        },
        .init("A session that moved away from a node before it died stays") { subject in
            let dead = try lease("one", incarnation: 1)
            _ = try await renew(subject.one, dead)
            _ = try await renew(subject.two, try lease("two", incarnation: 1))
            _ = try await write(subject.one, try session(alice, phone, on: "one", generation: 1))
            let moved = try session(alice, phone, on: "two", generation: 2)
            _ = try await write(subject.two, moved)
            try await release(subject.one, dead)
            try expect(try await cleanUp(subject.two), [], "orphaned")
            try expect(try await write(subject.two, moved), .renewed, "the moved one")
        },
    ]

    private static func renew(_ node: LivenessSubject.Node, _ lease: NodeLease) async throws -> Bool? {
        try await node.ask { ports, answer in ports.nodes.renewLease(lease, completion: answer) }
    }

    private static func release(_ node: LivenessSubject.Node, _ lease: NodeLease) async throws {
        _ = try await node.ask { ports, answer in ports.nodes.releaseLease(lease) { answer(true) } }
    }

    private static func nodes(_ node: LivenessSubject.Node) async throws -> [NodeLease]? {
        try await node.ask { ports, answer in ports.nodes.nodes(completion: answer) }
    }

    private static func cleanUp(_ node: LivenessSubject.Node) async throws -> [UserID]? {
        let cleaner = try self.node("two")
        return try await node.ask { ports, answer in
            ports.nodes.removeSessionsOfDeadNodes(by: cleaner, completion: answer)
        }
    }
}
