import BatonCore
import Testing

@testable import BatonClient

@Suite("A client that is told to connect anew", .timeLimit(.minutes(1)))
struct ReconnectTests {
    private func client(_ relays: ScriptedRelay...) throws -> BatonClient {
        var configuration = ClientConfiguration(addresses: relays.compactMap { RelayAddress($0.address) })
        configuration.tokenProvider = {
            IssuedToken(
                user: UserID(rawValue: 1), device: DeviceID(rawValue: 2), accessToken: "token", lifetime: .seconds(600))
        }
        return try BatonClient(configuration)
    }

    /// Reads on until the client is online.
    ///
    /// - Returns: with which node, and the states before.
    private func online(
        _ states: inout AsyncStream<ConnectionState>.Iterator
    ) async -> (node: String, before: [ConnectionState]) {
        var before: [ConnectionState] = []
        while let state = await states.next(isolation: #isolation) {
            if case .online(let node) = state { return (node, before) }
            before.append(state)
        }
        return ("", before)
    }

    /// What one relay saw, up to this.
    private func seen(
        _ last: ScriptedRelay.Sight, _ sights: inout AsyncStream<ScriptedRelay.Sight>.Iterator
    ) async -> [ScriptedRelay.Sight] {
        var all: [ScriptedRelay.Sight] = []
        while let sight = await sights.next(isolation: #isolation) {
            all.append(sight)
            if sight == last { break }
        }
        return all
    }

    @Test("It leaves for another address at once, ends the old connection, and sends what was not answered again")
    func another() async throws {
        let relays = [try await ScriptedRelay.start(named: "a"), try await ScriptedRelay.start(named: "b")]
        let client = try client(relays[0], relays[1])
        var states = await client.states().makeAsyncIterator()
        var (first, second) = (relays[0].sights.makeAsyncIterator(), relays[1].sights.makeAsyncIterator())
        try await client.connect()
        #expect(await online(&states).node == "a")
        let ref = try await client.enqueue("hello", to: .user(UserID(rawValue: 7)))
        #expect(await seen(.send(ref: ref), &first) == [.hello, .send(ref: ref)])

        await client.reconnect()

        let (node, before) = await online(&states)
        #expect(node == "b")
        // It neither waits nor goes offline in between: this is no failure.
        let address = try #require(RelayAddress(relays[1].address))
        #expect(before == [.connecting(address), .catchingUp(node: "b")])
        #expect(await seen(.ended, &first) == [.ended])
        #expect(await seen(.send(ref: ref), &second) == [.hello, .send(ref: ref)])
        #expect(await client.outboxCount == 1)
        await client.close()
        for relay in relays { try await relay.stop() }
    }

    @Test("Where there is one address it comes back to that, also in the midst of an attempt")
    func same() async throws {
        let relay = try await ScriptedRelay.start(named: "a")
        let client = try client(relay)
        var states = await client.states().makeAsyncIterator()
        try await client.connect()
        await client.reconnect()
        #expect(await online(&states).node == "a")
        await client.reconnect()
        #expect(await online(&states).node == "a")
        await client.close()
        try await relay.stop()
    }

    @Test("A client that is not to be connected stays away")
    func notWanted() async throws {
        let relay = try await ScriptedRelay.start(named: "a")
        let client = try client(relay)
        await client.reconnect()
        #expect(await client.state == .offline(.requested))
        var states = await client.states().makeAsyncIterator()
        try await client.connect()
        #expect(await online(&states).node == "a")
        await client.disconnect()
        await client.reconnect()
        #expect(await client.state == .offline(.requested))
        await client.close()
        await client.reconnect()
        #expect(await client.state == .offline(.requested))
        try await relay.stop()
    }

    @Test("The states of a client that is closed are one, and then their end")
    func statesOfClosed() async throws {
        let relay = try await ScriptedRelay.start(named: "a")
        let client = try client(relay)
        let before = await client.states()
        await client.close()
        for states in [before, await client.states()] {
            var seen: [ConnectionState] = []
            for await state in states { seen.append(state) }
            #expect(seen == [.offline(.requested)])
        }
        try await relay.stop()
    }

    // MARK: While it waits

    /// A client whose next attempt is hours away, with its states from then on.
    private func waiting() async throws -> (BatonClient, AsyncStream<ConnectionState>.Iterator) {
        // Nobody listens there.
        let address = try #require(RelayAddress("http://127.0.0.1:1"))
        var configuration = ClientConfiguration(addresses: [address])
        configuration.tokenProvider = {
            IssuedToken(
                user: UserID(rawValue: 1), device: DeviceID(rawValue: 2), accessToken: "token", lifetime: .seconds(600))
        }
        let client = try BatonClient(configuration)
        await client.waitLong()
        var states = await client.states().makeAsyncIterator()
        try await client.connect()
        #expect(await longWait(&states) > .seconds(10))
        return (client, states)
    }

    /// Reads on until the client waits.
    private func longWait(_ states: inout AsyncStream<ConnectionState>.Iterator) async -> Duration {
        while let state = await states.next(isolation: #isolation) {
            if case .waiting(let delay, _) = state { return delay }
        }
        return .zero
    }

    private static let acts: [(String, @Sendable (BatonClient) async throws -> Void)] = [
        ("sends", { _ = try await $0.enqueue("hello", to: .user(UserID(rawValue: 7))) }),
        ("types", { await $0.typing(true, in: Self.message.conversation) }),
        ("reads", { await $0.markRead(Self.message) }),
    ]

    private static let message = MessageID(
        conversation: ConversationID(high: 1, low: 7), sequence: ConversationSequence(rawValue: 1))

    @Test("When the user acts it tries at once, and then again 2 s later at the soonest", arguments: acts.indices)
    func userActs(index: Int) async throws {
        let (client, iterator) = try await waiting()
        var states = iterator
        let (name, act) = Self.acts[index]
        try await act(client)
        guard case .connecting = await states.next() else { return #expect(Bool(false), "\(name)") }
        #expect(await longWait(&states) > .seconds(10))

        let began = ContinuousClock.now
        for _ in 0..<20 { try await act(client) }
        let wait = await longWait(&states)
        #expect(wait > .zero && wait <= .seconds(2), "\(name)")
        guard case .connecting = await states.next() else { return #expect(Bool(false), "\(name)") }
        #expect(ContinuousClock.now - began > .seconds(1))
        #expect(await longWait(&states) > .seconds(10))
        await client.close()
    }

    @Test("When the application says that the network changed it tries at once, each time")
    func networkChanged() async throws {
        let (client, iterator) = try await waiting()
        var states = iterator
        for _ in 0..<5 {
            await client.waitLong()
            await client.reconnect()
            guard case .connecting = await states.next() else { return #expect(Bool(false)) }
            #expect(await longWait(&states) > .zero)
        }
        await client.close()
    }

    @Test("One that was told to stay away does not come back because the user acts")
    func userActsInVain() async throws {
        let (client, _) = try await waiting()
        await client.disconnect()
        for (_, act) in Self.acts { try await act(client) }
        #expect(await client.state == .offline(.requested))
        await client.close()
    }
}

extension BatonClient {
    /// Waits of some hours from the first failure on.
    fileprivate func waitLong() {
        policy = ReconnectPolicy(base: .seconds(100_000), cap: .seconds(100_000), earlyCap: .seconds(100_000))
    }
}
