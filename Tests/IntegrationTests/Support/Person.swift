import BatonClient
import BatonCore
import Foundation
import Logging
import NIOCore
import Testing

/// A device of a user with the SDK, whose events are read all the time, so that it acknowledges like any client.
final class Person: Sendable {
    let handle: String
    let client: BatonClient
    let tokens: Tokens
    let events = Mailbox<ClientEvent>()
    let states = Mailbox<ConnectionState>()
    private let reader: Task<Void, Never>
    private let observer: Task<Void, Never>

    var user: UserID { tokens.user }
    var device: DeviceID { tokens.device }

    static let password = "correct horse"

    private init(handle: String, client: BatonClient, tokens: Tokens) {
        self.handle = handle
        self.client = client
        self.tokens = tokens
        let (events, states) = (events, states)
        reader = Task { for await event in client.events { events.put(event) } }
        observer = Task { for await state in await client.states() { states.put(state) } }
    }

    /// Registers and logs in; not connected yet.
    static func join(_ cluster: TestCluster, through nodes: [Int]) async throws -> Person {
        let handle = "p" + UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased().prefix(20)
        let client = try makeClient(cluster, nodes)
        try await client.register(handle: handle, displayName: "Person", password: password)
        return try await logIn(handle, client)
    }

    /// Another device of the same user.
    func anotherDevice(_ cluster: TestCluster, through nodes: [Int]) async throws -> Person {
        try await Self.logIn(handle, try Self.makeClient(cluster, nodes))
    }

    private static func makeClient(_ cluster: TestCluster, _ nodes: [Int]) throws -> BatonClient {
        var configuration = ClientConfiguration(addresses: cluster.addresses(nodes))
        configuration.inFlightPerConversation = 32
        configuration.logger = Logger(label: "person") { _ in SwiftLogNoOpLogHandler() }
        return try BatonClient(configuration)
    }

    private static func logIn(_ handle: String, _ client: BatonClient) async throws -> Person {
        let tokens = try await client.login(handle: handle, password: password, deviceName: "test")
        return Person(handle: handle, client: client, tokens: tokens)
    }

    /// Connects, and waits until the inbox is caught up with.
    @discardableResult
    func connected() async throws -> Person {
        try await client.connect()
        try await events.first("caught up") { $0 == .caughtUp ? true : nil }
        return self
    }

    func close() async {
        await client.close()
        await reader.value
        await observer.value
    }

    // MARK: What is waited for

    @discardableResult
    func message(_ text: String? = nil) async throws -> Message {
        // Longer than the backstop's period: a hint that was lost for good may be found by nothing else.
        try await events.first("a message \(text ?? "")", within: .seconds(60)) { event in
            guard case .message(let message) = event, text == nil || message.content == .text(text ?? "") else {
                return nil
            }
            return message
        }
    }

    /// The next messages, in the order in which they came.
    func messages(_ count: Int) async throws -> [Message] {
        var messages: [Message] = []
        while messages.count < count { messages.append(try await message()) }
        return messages
    }

    @discardableResult
    func receipt(where fits: (Receipt) -> Bool) async throws -> Receipt {
        try await events.first("a receipt") { event in
            if case .receipt(let receipt) = event, fits(receipt) { receipt } else { nil }
        }
    }

    /// Both write to the other, so that each may see whether the other is online.
    func acquainted(with other: Person) async throws {
        _ = try await client.send("hello", to: .user(other.user))
        _ = try await other.client.send("hello yourself", to: .user(user))
    }

    func presence(of user: UserID, isOnline: Bool) async throws -> PresenceChange {
        try await events.first("presence of \(user), online \(isOnline)", within: .seconds(60)) { event in
            if case .presence(let change) = event, change.user == user, change.isOnline == isOnline {
                change
            } else {
                nil
            }
        }
    }

    func online(with node: String? = nil) async throws {
        try await states.first("online with \(node ?? "any node")", within: .seconds(30)) { state in
            if case .online(let name) = state, node == nil || name == node { true } else { nil }
        }
    }

    /// Sends that many texts `1`, `2`, ... and waits until all are accepted.
    func sendNumbers(_ numbers: ClosedRange<Int>, to user: UserID) async throws {
        for number in numbers { _ = try await client.enqueue("\(number)", to: .user(user)) }
        var missing = numbers.count
        while missing > 0 {
            try await events.first("accepted") { if case .accepted = $0 { true } else { nil } }
            missing -= 1
        }
    }
}

/// Opens what the tests need, and closes it whatever happens.
func withPeople(
    _ count: Int, nodes: [[Int]], _ body: (TestCluster, [Person]) async throws -> Void
) async throws {
    let cluster = try #require(TestCluster.current)
    var people: [Person] = []
    do {
        for index in 0..<count { people.append(try await Person.join(cluster, through: nodes[index % nodes.count])) }
        try await body(cluster, people)
    } catch {
        for person in people { await person.close() }
        throw error
    }
    for person in people { await person.close() }
}
