import BatonBench
import BatonChaos
import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import Foundation
import Testing

private enum Shape {
    static let nodes = 2
    static let loops = 2
}

/// Real nodes with the limits that they have where nobody changes them.
@Suite(
    "What one user may send", .serialized, .timeLimit(.minutes(3)),
    .cluster(
        nodes: Shape.nodes,
        configuration: [
            "limits.messagesPerUser=\(Limits.Sending.messagesPerMinute)",
            "limits.messageBytesPerUser=\(Limits.Sending.bytesPerMinute)",
            "limits.conversationsPerUser=\(Limits.Sending.conversationsPerHour)",
            "limits.strangerMessagesPerUser=\(Limits.Sending.strangerMessagesPerHour)",
            "threads.eventLoops=\(Shape.loops)",
        ]))
struct SendLimitTests {
    /// What all event loops together may give on credit, in parts of a bucket.
    private static let credit = 1 + Double(Shape.loops * Shape.nodes) / Double(Limits.Sending.credits)

    /// Sends as fast as the answers come: for 8 s, and on a slow machine until something was refused.
    ///
    /// - Returns: the messages that were accepted, and the errors of the others.
    private func flood(
        _ socket: RelaySocket, to user: UserID, bytes: Int
    ) async throws -> (accepted: Int, errors: [WireError]) {
        let text = String(repeating: "x", count: bytes)
        let began = ContinuousClock.now
        var (accepted, errors) = (0, [WireError]())
        while ContinuousClock.now - began < (errors.isEmpty ? .seconds(40) : .seconds(8)) {
            for _ in 0..<32 { try await socket.send(text, ref: UUID().uuidString, to: user.description) }
            var answers = 0
            while answers < 32 {
                switch try await socket.answer() {
                case .accepted: accepted += 1
                case .rejected(let rejected): errors.append(rejected.error)
                }
                answers += 1
            }
        }
        return (accepted, errors)
    }

    /// Floods on connections of several devices of one user at the same time, half of them on each node.
    private func flood(
        from people: [Person], _ cluster: TestCluster, to user: UserID, bytes: Int
    ) async throws -> (accepted: Int, errors: [WireError]) {
        try await withThrowingTaskGroup(of: (accepted: Int, errors: [WireError]).self) { group in
            for (index, person) in people.enumerated() {
                group.addTask {
                    let address = cluster.addresses([index % Shape.nodes])[0]
                    let (socket, _) = try await RelaySocket.greet(address, token: person.tokens.accessToken)
                    let result = try await flood(socket, to: user, bytes: bytes)
                    try await socket.close()
                    return result
                }
            }
            return try await group.reduce(into: (0, [])) { $0 = ($0.0 + $1.accepted, $0.1 + $1.errors) }
        }
    }

    /// One user with four devices, beside another one.
    private func withFlooder(_ body: (TestCluster, [Person], _ other: Person) async throws -> Void) async throws {
        try await withPeople(2, nodes: [[0, 1]]) { cluster, people in
            var devices = [people[0]]
            do {
                for _ in 0..<3 { devices.append(try await people[0].anotherDevice(cluster, through: [0, 1])) }
                try await body(cluster, devices, people[1])
            } catch {
                for device in devices.dropFirst() { await device.close() }
                throw error
            }
            for device in devices.dropFirst() { await device.close() }
        }
    }

    @Test(
        "To a stranger it is a few hundred messages, however large, on however many connections and nodes",
        arguments: [100, Limits.Message.contentBytes - 100])
    func stranger(bytes: Int) async throws {
        try await withFlooder { cluster, devices, stranger in
            let (accepted, errors) = try await flood(from: devices, cluster, to: stranger.user, bytes: bytes)
            let limit = Limits.Sending.strangerMessagesPerHour
            #expect(accepted >= limit / 2)
            #expect(Double(accepted) <= Double(limit) * Self.credit + 1)
            // A fifth of the 107 MiB that went through in 8 s before there was a bound.
            #expect(accepted * bytes < 21 * 1024 * 1024)
            #expect(!errors.isEmpty)
            for error in errors {
                #expect(error.code == ErrorCode.rateLimited.rawValue && error.retryable && error.retryAfterMs > 0)
            }
            let bucket = try await cluster.local.redis("GET limit:{\(devices[0].user)}:strangers")
            #expect(bucket.hasPrefix("tokens="), "\(bucket)")
        }
    }

    @Test("Who wrote back is no stranger, and gets everything while strangers get nothing")
    func friend() async throws {
        try await withFlooder { cluster, devices, friend in
            let addresses = cluster.addresses([0, 1])
            let (socket, _) = try await RelaySocket.greet(addresses[1], token: friend.tokens.accessToken)
            try await socket.send("hello", ref: "first", to: devices[0].user.description)
            _ = try await socket.accepted()
            try await socket.close()
            let stranger = try await Person.join(cluster, through: [0])
            await stranger.close()
            let (sender, _) = try await RelaySocket.greet(addresses[0], token: devices[0].tokens.accessToken)
            var sent = 0
            while true {
                try await sender.send("more", ref: "stranger-\(sent)", to: stranger.user.description)
                if case .rejected(let rejected) = try await sender.answer() {
                    #expect(rejected.error.code == ErrorCode.rateLimited.rawValue)
                    #expect(rejected.error.message.contains("messages an hour to users who never wrote back"))
                    break
                }
                sent += 1
            }
            #expect((200...226).contains(sent), "\(sent)")
            for number in 0..<20 {
                try await sender.send("friend", ref: "friend-\(number)", to: friend.user.description)
                _ = try await sender.accepted()
            }
            try await sender.close()
        }
    }

    @Test("To a friend it is what bytes allow")
    func bytes() async throws {
        try await withFlooder { cluster, devices, friend in
            let (socket, _) = try await RelaySocket.greet(cluster.addresses([1])[0], token: friend.tokens.accessToken)
            try await socket.send("hello", ref: "first", to: devices[0].user.description)
            _ = try await socket.accepted()
            try await socket.close()
            let began = ContinuousClock.now
            let bytes = Limits.Message.contentBytes - 100
            let (accepted, errors) = try await flood(from: devices, cluster, to: friend.user, bytes: bytes)
            let limit = Double(Limits.Sending.bytesPerMinute)
            let minutes = (ContinuousClock.now - began) / .seconds(60)
            #expect(Double(accepted * bytes) <= limit * (Self.credit + minutes))
            #expect(Double(accepted * bytes) >= limit / 2)
            #expect(!errors.isEmpty && errors.allSatisfy { $0.code == ErrorCode.rateLimited.rawValue })
        }
    }

    @Test("Without Redis each event loop bounds what passes it, and a person's messages go on")
    func withoutRedis() async throws {
        try await withFlooder { cluster, devices, stranger in
            await cluster.local.killRedis()
            for node in 0..<Shape.nodes { try await cluster.untilHealth(of: node) { $0.contains("\"degraded\":true") } }
            let (accepted, errors) = try await flood(from: devices, cluster, to: stranger.user, bytes: 10)
            let limit = Limits.Sending.strangerMessagesPerHour
            #expect(accepted > 0 && !errors.isEmpty)
            #expect(Double(accepted) <= Double(limit * Shape.loops * Shape.nodes) * Self.credit)
            try await cluster.local.startRedis()
            for node in 0..<Shape.nodes {
                try await cluster.untilHealth(of: node) { $0.contains("\"degraded\":false") }
            }
        }
    }
}
