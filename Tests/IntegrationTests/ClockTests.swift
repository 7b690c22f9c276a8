import BatonBench
import BatonChaos
import BatonClient
import BatonCore
import BatonHistory
import Foundation
import Testing

@Suite("A node whose clock is wrong", .serialized, .timeLimit(.minutes(3)), .cluster(nodes: 3, hasHostFaults: true))
struct ClockTests {
    private static let wrong: [Int64] = [600, -600]

    /// What the node's clock may be off while the others' lines are a second old, and the machine is busy.
    private static let bound: Int64 = 3_000

    /// Whether a node gives this reason. What it says of the others' clocks may be as old as their lines.
    private func gives(_ reason: String, about seconds: Int64, _ health: String) -> Bool {
        (seconds - Self.bound / 1_000...seconds + Self.bound / 1_000).contains { seconds in
            health.contains("\"\(reason):\(seconds > 0 ? "+" : "")\(seconds)\"")
        }
    }

    private func offset(_ time: Timestamp) -> UInt64 {
        (time.milliseconds - Int64(Date().timeIntervalSince1970 * 1_000)).magnitude
    }

    @Test("It takes no clients and says why; what is written through it and after it has right times", arguments: wrong)
    func running(by seconds: Int64) async throws {
        try await withPeople(2, nodes: [[0], [2]]) { cluster, people in
            let (alice, bob) = (people[0], people[1])
            for person in people { try await person.connected() }
            let host = await cluster.local.hosts[2]
            host.setClock(wrongBy: .seconds(seconds))
            try await cluster.untilHealth(of: 2) { health in
                health.contains(#""ready":false"#) && gives("clock_off", about: seconds, health)
                    && gives("clock_corrected", about: seconds, health)
            }
            for node in 0...1 { #expect(try await cluster.local.health(of: node).contains(#""ready":true"#)) }

            for (sender, recipient) in [(bob, alice), (alice, bob), (bob, alice)] {
                let accepted = try await sender.client.send("hello", to: .user(recipient.user))
                #expect(self.offset(accepted.at) < UInt64(Self.bound))
                #expect(self.offset(try await recipient.message().at) < UInt64(Self.bound))
            }
            await alice.client.watch([bob.user])
            _ = try await alice.presence(of: bob.user, isOnline: true)
            await bob.client.disconnect()
            let gone = try await alice.presence(of: bob.user, isOnline: false)
            // Told some seconds after the connection ended.
            #expect(self.offset(try #require(gone.lastSeen)) < UInt64(Self.bound) + 10_000)
            host.heal()
            try await cluster.untilHealth(of: 2) { $0.contains(#""ready":true"#) && $0.contains(#""reasons":[]"#) }
        }
    }

    @Test("One that is started with a wrong clock has the right time from its first message on", arguments: wrong)
    func started(by seconds: Int64) async throws {
        let cluster = try #require(TestCluster.current)
        await cluster.local.killNode(2)
        let host = await cluster.local.hosts[2]
        host.setClock(wrongBy: .seconds(seconds))
        try await cluster.local.startNode(2)
        try await cluster.untilHealth(of: 2) { gives("clock_off", about: seconds, $0) }
        try await withPeople(2, nodes: [[2], [0]]) { _, people in
            try await people[0].connected()
            let accepted = try await people[0].client.send("hello", to: .user(people[1].user))
            #expect(self.offset(accepted.at) < UInt64(Self.bound))
        }
        host.heal()
        try await cluster.untilHealth(of: 2) { $0.contains(#""ready":true"#) && $0.contains(#""reasons":[]"#) }
    }
}
