import BatonBench
import BatonChaos
import BatonClient
import BatonHistory
import Foundation
import NIOCore
import Testing

/// Their own messages would make the canaries pass failpoints too.
@Suite("Retries", .serialized, .cluster(nodes: 2, configuration: ["canary.enabled=false"]))
struct RetryTests {
    @Test("A message whose node died before it told anybody arrives with the sender's retry, not with the next sweep")
    func untold() async throws {
        try await withPeople(2, nodes: [[0, 1], [1]]) { cluster, people in
            let (alice, bob) = (people[0], people[1])
            await cluster.local.killNode(0)
            try await cluster.local.startNode(0, environment: ["BATON_FAILPOINTS": "committed=kill@1"])
            try await cluster.local.untilReady(0)
            for person in people { try await person.connected() }
            #expect(await alice.client.state == .online(node: "n1"))

            _ = try await alice.client.send("told at the retry", to: .user(bob.user))
            #expect(await alice.client.state == .online(node: "n2"))
            #expect(await !cluster.local.isNodeRunning(0))
            // Far less than the 25 s after which a sweep would find it.
            try await bob.events.first("the message", within: .seconds(2)) { event in
                if case .message(let message) = event {
                    message.content == .text("told at the retry") ? true : nil
                } else {
                    nil
                }
            }
            try await cluster.local.startNode(0)
            try await cluster.local.untilReady(0)
        }
    }
}
