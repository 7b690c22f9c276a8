import BatonBench
import BatonChaos
import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import Foundation
import FoundationNetworking
import Testing

@Suite("Who sees whom", .cluster(nodes: 2))
struct WatchingTests {
    @Test("Who watches sees the other come online on another node, and go offline a little after the connection ended")
    func presence() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { _, people in
            let (alice, bob) = (people[0], people[1])
            for person in people { try await person.connected() }
            try await alice.acquainted(with: bob)
            await bob.client.disconnect()
            await alice.client.watch([bob.user])
            _ = try await alice.presence(of: bob.user, isOnline: false)
            try await bob.connected()
            _ = try await alice.presence(of: bob.user, isOnline: true)
            await bob.client.disconnect()
            let gone = try await alice.presence(of: bob.user, isOnline: false)
            #expect(gone.lastSeen != nil)
        }
    }

    @Test(
        "Whoever is blocked no longer sees the other, on another node and at once; the end of the block shows it again")
    func block() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let (alice, bob) = (people[0], people[1])
            for person in people { try await person.connected() }
            try await alice.acquainted(with: bob)
            await bob.client.watch([alice.user])
            _ = try await bob.presence(of: alice.user, isOnline: true)
            try await Self.block("PUT", bob.user, by: alice, cluster)
            let hidden = try await bob.presence(of: alice.user, isOnline: false)
            #expect(hidden.lastSeen == nil)
            try await Self.block("DELETE", bob.user, by: alice, cluster)
            _ = try await bob.presence(of: alice.user, isOnline: true)
        }
    }

    private static func block(_ method: String, _ user: UserID, by person: Person, _ cluster: TestCluster) async throws
    {
        let url = try #require(URL(string: "\(cluster.local.nodeURLs[0])/v1/blocks/\(user)"))
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.setValue("Bearer \(person.tokens.accessToken)", forHTTPHeaderField: "Authorization")
        let (_, response) = try await URLSession.shared.data(for: request)
        try #require((response as? HTTPURLResponse)?.statusCode == 204)
    }

    @Test("Whoever has not answered is not seen, and is seen with the answer")
    func stranger() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let (alice, bob) = (people[0], people[1])
            try await bob.connected()
            let (socket, _) = try await RelaySocket.greet(cluster.addresses([0])[0], token: alice.tokens.accessToken)
            try await socket.send("hello", ref: "r1", to: bob.user.description)
            _ = try await socket.accepted()
            try await bob.message()
            try await socket.send { $0.watch.users = [bob.user.description] }
            #expect(try await Self.presences(socket, until: "nothing").isEmpty)
            _ = try await bob.client.send("hello yourself", to: .user(alice.user))
            while true {
                guard case .presence(let update) = try await socket.frame() else { continue }
                #expect(update.user == bob.user.description && update.online)
                break
            }
            try await socket.close()
        }
    }

    @Test("A revoked device's access token makes nobody online")
    func revoked() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let (alice, bob) = (people[0], people[1])
            for person in people { try await person.connected() }
            try await alice.acquainted(with: bob)
            let lost = try await bob.anotherDevice(cluster, through: [1])
            try await bob.client.revoke(lost.device)
            for person in people { await person.client.disconnect() }
            let (socket, _) = try await RelaySocket.greet(cluster.addresses([0])[0], token: alice.tokens.accessToken)
            try await socket.send { $0.watch.users = [bob.user.description] }
            while true {
                guard case .presence(let update) = try await socket.frame(), !update.online else { continue }
                break
            }
            for node in [0, 1, 1, 0] {
                let ghost = try await RelaySocket.open(
                    cluster.addresses([node])[0], token: lost.tokens.accessToken)
                try await ghost.send { $0.hello = WireHello() }
                #expect(try await ghost.closeCode() == CloseCode.revoked.rawValue)
            }
            #expect(try await Self.presences(socket, until: "nothing").isEmpty)
            #expect(try await cluster.local.redis("EXISTS presence:{\(bob.user)} session:{\(bob.user)}") == "0")
            await lost.close()
            try await socket.close()
        }
    }

    /// What came of presence before the answer to a ping.
    private static func presences(_ socket: RelaySocket, until nonce: String) async throws -> [WirePresenceUpdate] {
        try await socket.send { $0.ping.nonce = nonce }
        var updates: [WirePresenceUpdate] = []
        while true {
            switch try await socket.frame() {
            case .presence(let update): updates.append(update)
            case .pong(let pong) where pong.nonce == nonce: return updates
            default: continue
            }
        }
    }
}
