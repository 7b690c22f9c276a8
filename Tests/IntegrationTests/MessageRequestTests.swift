import BatonBench
import BatonChaos
import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import BatonTestKit
import Foundation
import NIOCore
import SwiftProtobuf
import Testing

@Suite("Messages by REST, on a cluster", .serialized, .cluster(nodes: 2))
struct MessageRequestTests {
    private static func post(
        _ path: String, _ json: String, key: String, by sender: Person, at address: RelayAddress,
        method: String = "POST"
    ) async throws -> RawConnection.Answer {
        let connection = try await RawConnection.connect(
            to: try SocketAddress(ipAddress: address.host, port: address.port))
        try await connection.send(
            """
            \(method) \(path) HTTP/1.1\r
            Host: \(address.host):\(address.port)\r
            Authorization: Bearer \(sender.tokens.accessToken)\r
            Content-Type: application/json\r
            Content-Length: \(json.utf8.count)\r
            Idempotency-Key: \(key)\r
            Connection: close\r
            \r
            \(json)
            """)
        return try await connection.lastAnswer()
    }

    private static func code(_ answer: RawConnection.Answer) throws -> String {
        try WireErrorResponse(jsonUTF8Bytes: answer.rest).error.code
    }

    @Test("It is delivered across nodes, and is one message however often and by whatever way it is repeated")
    func once() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let (alice, bob) = (people[0], people[1])
            let addresses = cluster.addresses([0, 1])
            try await bob.connected()
            let path = "/v1/users/\(bob.user)/messages"
            let answer = try await Self.post(path, #"{"text":"by REST"}"#, key: "k1", by: alice, at: addresses[0])
            try #require(answer.status == 201, "\(answer.text)")
            let accepted = try WireAccepted(jsonUTF8Bytes: answer.rest)
            let message = try await bob.message()
            #expect(message.id.description == accepted.id && message.ref == "k1")
            #expect(message.content == .text("by REST"))

            // At the other node, into the conversation, and in a WebSocket.
            let again = try await Self.post(
                "/v1/conversations/\(accepted.conversation)/messages", #"{"text":"by REST"}"#, key: "k1", by: alice,
                at: addresses[1])
            #expect(try WireAccepted(jsonUTF8Bytes: again.rest) == accepted)
            let (socket, _) = try await RelaySocket.greet(addresses[1], token: alice.tokens.accessToken)
            try await socket.send("by REST", ref: "k1", to: "\(bob.user)")
            guard case .accepted(accepted) = try await socket.answer() else {
                Issue.record("the WebSocket made another message of it")
                return
            }
            try await socket.close()

            let other = try await Self.post(path, #"{"text":"else"}"#, key: "k1", by: alice, at: addresses[1])
            #expect(try other.status == 409 && Self.code(other) == "ref_reused")
            _ = try await Self.post(path, #"{"text":"the next"}"#, key: "k2", by: alice, at: addresses[1])
            #expect(try await bob.message().content == .text("the next"), "nothing came between")
        }
    }

    @Test("What the store refuses is refused, and nobody writes as another or into others' conversations")
    func refused() async throws {
        try await withPeople(3, nodes: [[0], [1]]) { cluster, people in
            let (alice, bob, mallory) = (people[0], people[1], people[2])
            let address = cluster.addresses([0])[0]
            let accepted = try await alice.connected().client.send("hello", to: .user(bob.user))
            let path = "/v1/conversations/\(accepted.id.conversation)/messages"
            let foreign = try await Self.post(path, #"{"text":"x"}"#, key: "k", by: mallory, at: address)
            #expect(try foreign.status == 404 && Self.code(foreign) == "unknown_conversation")
            let nobody = try await Self.post(
                "/v1/users/\(UserID(rawValue: 7))/messages", #"{"text":"x"}"#, key: "k", by: alice, at: address)
            #expect(try nobody.status == 404 && Self.code(nobody) == "unknown_user")
            let own = try await Self.post(
                "/v1/users/\(alice.user)/messages", #"{"text":"x"}"#, key: "k", by: alice, at: address)
            #expect(try own.status == 400 && Self.code(own) == "same_user")
            let block = try await Self.post(
                "/v1/blocks/\(alice.user)", "", key: "b", by: bob, at: address, method: "PUT")
            #expect(block.status == 204)
            let blocked = try await Self.post(path, #"{"text":"x"}"#, key: "k", by: alice, at: address)
            #expect(try blocked.status == 403 && Self.code(blocked) == "blocked")
            // The longest content, escaped as far as a body holds it.
            let longest = String(repeating: "a", count: Limits.Message.contentBytes)
            let stored = try await Self.post(
                "/v1/users/\(mallory.user)/messages", #"{"text":"\#(longest)"}"#, key: "l", by: alice, at: address)
            #expect(stored.status == 201)
            let large = try await Self.post(
                "/v1/users/\(mallory.user)/messages", #"{"text":"\#(longest)a"}"#, key: "m", by: alice, at: address)
            #expect(try large.status == 413 && Self.code(large) == "too_large")
        }
    }
}
