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

/// Without canaries: a node that is stopped while it commits would hold the store's lock.
@Suite("Logins and refreshes", .serialized, .cluster(nodes: 2, configuration: ["canary.enabled=false"]))
struct LoginTests {
    @Test("A refresh that a stopped node carries out late makes no thief of the client that went elsewhere")
    func stoppedNode() async throws {
        try await withPeople(1, nodes: [[1]]) { cluster, people in
            let first = people[0].tokens
            let addresses = cluster.addresses([0, 1])
            await cluster.local.signalNode(0, SIGSTOP)
            let late = try await Self.refresh(first.refreshToken, at: addresses[0])
            await #expect(throws: RawConnection.NothingCame.self) {
                try await late.wait(seconds: 3) { _, _ in nil as (Void, Int)? }
            }

            let second = try await Self.tokens(try await Self.refresh(first.refreshToken, at: addresses[1]))
            #expect(second.device == first.device.description)
            await cluster.local.signalNode(0, SIGCONT)
            let doubled = try await Self.tokens(late)
            #expect(doubled.refreshToken == second.refreshToken)

            // The client's only token goes on, at either node, and so does each that follows.
            let third = try await Self.tokens(try await Self.refresh(second.refreshToken, at: addresses[0]))
            let again = try await Self.tokens(try await Self.refresh(second.refreshToken, at: addresses[1]))
            #expect(third.refreshToken == again.refreshToken)
            _ = try await Self.tokens(try await Self.refresh(third.refreshToken, at: addresses[1]))
            #expect(try await people[0].client.devices().map(\.id) == [people[0].device])
        }
    }

    @Test("A seventeenth device takes the place of the longest unused that is connected to no node, which is told so")
    func replaced() async throws {
        try await withPeople(1, nodes: [[1]]) { cluster, people in
            let connected = try await people[0].connected()
            try await Self.withDevices(Limits.Account.devicesPerUser, of: connected, cluster) { others in
                // The last one took the place of the first.
                let surplus = try #require(others.last)
                #expect(try await surplus.client.devices().map(\.id).contains(connected.device))
                #expect(try await surplus.client.devices().count == Limits.Account.devicesPerUser)
                try await others[0].client.connect()
                try await others[0].states.first("the reason") { $0 == .offline(.replaced) ? true : nil }
                let left = try await connected.client.devices(
                    handle: connected.handle, password: Person.password, removing: [surplus.device])
                #expect(Set(left.map(\.id)) == Set(([connected] + others.dropFirst().dropLast()).map(\.device)))
            }
        }
    }

    /// More devices of a person, which are closed whatever happens.
    private static func withDevices(
        _ count: Int, of person: Person, _ cluster: TestCluster, _ body: ([Person]) async throws -> Void
    ) async throws {
        var devices: [Person] = []
        do {
            for _ in 0..<count { devices.append(try await person.anotherDevice(cluster, through: [0])) }
            try await body(devices)
        } catch {
            for device in devices { await device.close() }
            throw error
        }
        for device in devices { await device.close() }
    }

    /// The last one: the node then refuses changes for a while.
    @Test("What lay in a node that stood still for long changes nothing")
    func oldRequest() async throws {
        try await withPeople(1, nodes: [[1]]) { cluster, people in
            let address = cluster.addresses([0])[0]
            await cluster.local.signalNode(0, SIGSTOP)
            let late = try await Self.refresh(people[0].tokens.refreshToken, at: address)
            await #expect(throws: RawConnection.NothingCame.self) {
                try await late.wait(seconds: Limits.Node.standstillSeconds + 1) { _, _ in nil as (Void, Int)? }
            }
            await cluster.local.signalNode(0, SIGCONT)
            let answer = try await late.lastAnswer()
            #expect(answer.status == 503 && answer["Retry-After"] == "1")
            #expect(try WireErrorResponse(jsonUTF8Bytes: answer.rest).error.code == "overloaded")
        }
    }

    /// A request that was sent and not answered yet.
    private static func refresh(_ token: String, at address: RelayAddress) async throws -> RawConnection {
        let connection = try await RawConnection.connect(
            to: try SocketAddress(ipAddress: address.host, port: address.port))
        let body = "{\"refreshToken\":\"\(token)\"}"
        try await connection.send(
            """
            POST /v1/sessions/refresh HTTP/1.1\r
            Host: \(address.host):\(address.port)\r
            Content-Type: application/json\r
            Content-Length: \(body.utf8.count)\r
            Connection: close\r
            \r
            \(body)
            """)
        return connection
    }

    private static func tokens(_ connection: RawConnection) async throws -> WireTokens {
        let answer = try await connection.lastAnswer()
        try #require(answer.status == 200, "\(answer.text)")
        return try WireTokens(jsonUTF8Bytes: answer.rest)
    }
}
