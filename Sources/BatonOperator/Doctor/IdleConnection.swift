import BatonClient
import BatonCore
import Logging
import NIOCore

/// Opens a WebSocket as a client does, says nothing more, and sees whether it lives.
struct IdleConnection: Sendable {
    enum Outcome: Hashable, Sendable {
        case survived
        case cut(after: Duration, why: String)
        case notConnected(why: String)
        /// Another doctor is the same user.
        case displaced
    }

    /// How long the connection may take to be made.
    private static let patience = Duration.seconds(10)

    let address: RelayAddress
    let token: IssuedToken
    let duration: Duration
    /// Told how long it has lived, each second.
    let onSecond: @Sendable (Duration) -> Void

    func measure() async -> Outcome {
        var configuration = ClientConfiguration(addresses: [address])
        configuration.clientName = "baton-doctor"
        configuration.tokenProvider = { [token] in token }
        configuration.returnsWhenDisplaced = false
        configuration.logger = Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() }
        do {
            let client = try BatonClient(configuration)
            do {
                try await client.connect()
            } catch {
                await client.close()
                throw error
            }
            let outcome = await watch(client)
            await client.close()
            return outcome
        } catch {
            return .notConnected(why: "\(error)")
        }
    }

    private func watch(_ client: BatonClient) async -> Outcome {
        let first = await state(of: client, within: Self.patience) { state in
            switch state {
            case .connecting, .catchingUp: false
            case .online, .waiting, .offline: true
            }
        }
        guard case .online = first else { return .notConnected(why: Self.reason(first)) }
        let began = ContinuousClock.now
        let end = await state(of: client, within: duration, onSecond: onSecond) { state in
            if case .online = state { false } else { true }
        }
        switch end {
        case nil: return .survived
        case .offline(.displaced): return .displaced
        case let state?: return .cut(after: ContinuousClock.now - began, why: Self.reason(state))
        }
    }

    private static func reason(_ state: ConnectionState?) -> String {
        switch state {
        case .waiting(_, let why): why
        case .offline(let reason): "\(reason)"
        case nil, .connecting, .catchingUp, .online: "nothing came within \(patience.components.seconds) s"
        }
    }

    /// The first state that fits, the present one included; nil where none comes in time.
    private func state(
        of client: BatonClient, within limit: Duration, onSecond: @escaping @Sendable (Duration) -> Void = { _ in },
        where fits: @escaping @Sendable (ConnectionState) -> Bool
    ) async -> ConnectionState? {
        await withTaskGroup(of: ConnectionState?.self) { tasks in
            tasks.addTask {
                for await state in await client.states() where fits(state) { return state }
                return nil
            }
            tasks.addTask {
                let clock = ContinuousClock()
                let began = clock.now
                var passed = Duration.zero
                while passed < limit, !Task.isCancelled {
                    onSecond(passed)
                    passed = min(passed + .seconds(1), limit)
                    try? await clock.sleep(until: began + passed)
                }
                return nil
            }
            let first = await tasks.next() ?? nil
            tasks.cancelAll()
            return first
        }
    }
}
