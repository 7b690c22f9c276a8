import BatonBench
import BatonChaos
import BatonClient
import BatonCore
import BatonHistory
import Foundation
import Testing

/// The SDK against real nodes, a real Redis and a real store.
@Suite("The Swift SDK on a cluster", .serialized, .timeLimit(.minutes(3)))
struct ClientTests {
    /// Runs a test on two nodes of its own, and stops them whatever happens.
    private func withCluster(_ body: (LocalCluster, URL) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "baton-\(UUID().uuidString)")
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(
            path: "baton")
        var settings = LocalCluster.Settings(executable: program.path, directory: directory.path)
        settings.nodes = 2
        let cluster = try LocalCluster(settings)
        let result: Result<Void, any Error>
        do {
            try await cluster.start()
            result = .success(try await body(cluster, directory))
        } catch {
            result = .failure(error)
        }
        await cluster.stop()
        try? FileManager.default.removeItem(at: directory)
        try result.get()
    }

    private func client(
        _ cluster: LocalCluster, nodes: [Int], stateFile: String? = nil
    ) throws -> BatonClient {
        let addresses = try nodes.map { try #require(RelayAddress(cluster.nodeURLs[$0])) }
        var configuration = ClientConfiguration(addresses: addresses)
        configuration.stateFile = stateFile
        return try BatonClient(configuration)
    }

    private func online(_ client: BatonClient) async throws {
        try await client.connect()
        for await state in await client.states() {
            if case .online = state { return }
        }
    }

    /// The texts of the next messages of others.
    private func texts(_ count: Int, of client: BatonClient, by sender: UserID) async -> [String] {
        var texts: [String] = []
        for await event in client.events {
            guard case .message(let message) = event, message.sender == sender else { continue }
            if case .text(let text) = message.content { texts.append(text) }
            if texts.count == count { break }
        }
        await client.markApplied()
        return texts
    }

    @Test("A message crosses nodes, its receipt comes back, and a killed node costs nothing")
    func acrossNodes() async throws {
        try await withCluster { cluster, _ in
            let alice = try client(cluster, nodes: [0, 1])
            let bob = try client(cluster, nodes: [1, 0])
            for (client, handle) in [(alice, "alice"), (bob, "bob")] {
                try await client.register(handle: handle, displayName: handle, password: "correct horse")
                try await client.login(handle: handle, password: "correct horse", deviceName: "test")
            }
            try await online(alice)
            try await online(bob)
            let (aliceID, bobID) = (try await alice.ownProfile().id, try await bob.ownProfile().id)

            let first = try await alice.send("one", to: .user(bobID))
            #expect(first.id.sequence.rawValue == 1)
            #expect(await texts(1, of: bob, by: aliceID) == ["one"])
            for await event in alice.events {
                guard case .receipt(let receipt) = event, receipt.user == bobID else { continue }
                #expect(receipt.delivered == first.id.sequence)
                break
            }

            await cluster.killNode(1)
            for number in 2...20 { _ = try await alice.enqueue("\(number)", to: .user(bobID)) }
            #expect(await texts(19, of: bob, by: aliceID) == (2...20).map { "\($0)" })

            await cluster.killNode(0)
            let last = try await alice.enqueue("last", to: .user(bobID))
            #expect(await alice.outboxCount >= 1)
            try await cluster.startNode(0)
            #expect(await texts(1, of: bob, by: aliceID) == ["last"])
            for await event in alice.events {
                if case .accepted(let accepted) = event, accepted.ref == last { break }
            }
            #expect(await alice.outboxCount == 0)
            await alice.close()
            await bob.close()
        }
    }

    @Test("What was queued before a restart is sent after it, once, and the inbox goes on where it was")
    func restart() async throws {
        try await withCluster { cluster, directory in
            let path = directory.appending(path: "alice.state").path
            let bob = try client(cluster, nodes: [1])
            let alice = try client(cluster, nodes: [0], stateFile: path)
            for (client, handle) in [(alice, "alice"), (bob, "bob")] {
                try await client.register(handle: handle, displayName: handle, password: "correct horse")
                try await client.login(handle: handle, password: "correct horse", deviceName: "test")
            }
            let (aliceID, bobID) = (try await alice.ownProfile().id, try await bob.ownProfile().id)
            try await online(bob)
            for number in 1...5 { _ = try await alice.enqueue("\(number)", to: .user(bobID)) }
            await alice.close()

            let again = try client(cluster, nodes: [0], stateFile: path)
            #expect(await again.outboxCount == 5)
            try await online(again)
            #expect(await texts(5, of: bob, by: aliceID) == (1...5).map { "\($0)" })
            _ = try await bob.send("answer", to: .user(aliceID))
            #expect(await texts(1, of: again, by: bobID) == ["answer"])
            try await again.logout()
            #expect(await again.currentTokens == nil)
            await again.close()
            await bob.close()
        }
    }
}
