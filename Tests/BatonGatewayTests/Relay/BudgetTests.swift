import BatonCore
import BatonProtocol
import BatonTestKit
import NIOCore
import Testing

@testable import BatonGateway

@Suite("What one user sends is bounded")
struct BudgetTests {
    /// Ten messages a second at most, of which an event loop takes a share of 37 of the 600, and gives 75 on credit.
    private let relay = RelayFixture { $0.sending = Self.limits }
    private static let limits: SendLimits = {
        var limits = SendLimits()
        limits.messagesPerMinute = 600
        limits.bytesPerMinute = 1_048_576
        limits.conversationsPerHour = 40
        limits.strangerMessagesPerHour = 60
        return limits
    }()

    /// The answers since the last call: how many were accepted, and the errors of the others.
    private func answers(_ client: RelayClient) -> (accepted: Int, errors: [WireError]) {
        var (accepted, errors) = (0, [WireError]())
        for frame in client.frames() {
            switch frame {
            case .accepted: accepted += 1
            case .rejected(let rejected):
                errors.append(rejected.error)
                #expect(rejected.ref.hasPrefix("r"))
            default: break
            }
        }
        return (accepted, errors)
    }

    /// Bob has written to Alice, so that neither is a stranger to the other.
    private func friends() throws -> (alice: UserID, bob: UserID) {
        let (alice, bob) = (relay.addUser(1, devices: [1, 2]), relay.addUser(2))
        try relay.store(1, from: bob, to: alice)
        return (alice, bob)
    }

    private func send(_ count: Int, from client: RelayClient, to user: UserID, bytes: Int = 4) {
        let text = String(repeating: "m", count: bytes)
        for _ in 0..<count {
            number += 1
            let ref = "r\(number)"
            client.message(ref, to: user, text)
        }
    }

    private var number: Int {
        get { counter.value }
        nonmutating set { counter.value = newValue }
    }
    private let counter = Counter()

    private final class Counter { var value = 0 }

    @Test("Messages: what two nodes accept together is what the bucket holds; then it is what comes back")
    func messages() throws {
        let (alice, bob) = try friends()
        let clients = [
            relay.greet(alice), relay.greet(alice, device: 2, on: relay.addNode("b") { $0.sending = Self.limits }),
        ]
        var total = 0
        for _ in 0..<20 {
            for client in clients {
                send(50, from: client, to: bob)
                let (accepted, errors) = answers(client)
                total += accepted
                for error in errors {
                    #expect(error.code == ErrorCode.rateLimited.rawValue && error.retryable && error.retryAfterMs > 0)
                    #expect(error.message.contains("600 messages a minute"))
                }
            }
        }
        #expect((550...750).contains(total), "\(total)")
        #expect(relay.metrics["baton_sends_limited_total messages"] == Int64(2_000 - total))
        for client in clients { #expect(client.close() == nil) }
        // Ten come back a second. What was given on credit is paid back first.
        var later = 0
        for _ in 0..<60 {
            relay.advance(seconds: 1)
            for client in clients {
                send(10, from: client, to: bob)
                later += answers(client).accepted
            }
        }
        #expect((total + later) <= 600 + 600 + 150)
        // Each of the two waits for half a share, by the second.
        #expect(later >= 200, "\(later)")
    }

    @Test("Bytes, with messages that are as large as they may be")
    func bytes() throws {
        let (alice, bob) = try friends()
        let client = relay.greet(alice)
        send(40, from: client, to: bob, bytes: Limits.Message.contentBytes)
        let (accepted, errors) = answers(client)
        #expect((14...18).contains(accepted), "\(accepted)")
        #expect(errors.allSatisfy { $0.message.contains("1048576 bytes of messages a minute") })
        relay.advance(seconds: 20)
        send(1, from: client, to: bob, bytes: Limits.Message.contentBytes)
        #expect(answers(client).accepted == 1)
    }

    @Test("Strangers: whoever never wrote back gets so many, and friends all")
    func strangers() throws {
        let (alice, bob) = try friends()
        let client = relay.greet(alice)
        let stranger = relay.addUser(3)
        send(100, from: client, to: stranger)
        let (accepted, errors) = answers(client)
        #expect((60...62).contains(accepted), "\(accepted)")
        #expect(
            errors.allSatisfy {
                $0.code == ErrorCode.rateLimited.rawValue && $0.message.contains("60 messages an hour")
            })
        #expect(try #require(errors.last).retryAfterMs > 30_000)
        send(100, from: client, to: bob)
        #expect(answers(client).accepted == 100)
        // An answer makes a friend.
        try relay.store(1, from: stranger, to: alice)
        send(10, from: client, to: stranger)
        #expect(answers(client).accepted == 10)
    }

    @Test("Conversations: so many are begun, and those that are there go on")
    func conversations() throws {
        let (alice, bob) = try friends()
        let client = relay.greet(alice)
        let others = (100..<160).map { relay.addUser($0) }
        for other in others { send(1, from: client, to: other) }
        let (accepted, errors) = answers(client)
        #expect((40...42).contains(accepted), "\(accepted)")
        #expect(
            accepted + errors.count == 60 && errors.allSatisfy { $0.message.contains("40 new conversations an hour") })
        send(1, from: client, to: others[0])
        send(5, from: client, to: bob)
        #expect(answers(client).accepted == 6)
        for _ in 0..<15 {
            relay.advance(seconds: 20)
            client.send { $0.ping.nonce = "here" }
            client.drop()
        }
        send(2, from: client, to: others[59])
        #expect(answers(client).accepted == 2)
    }

    @Test("What is under way counts: a burst in one piece is no way around")
    func burst() {
        let alice = relay.addUser(1)
        let client = relay.greet(alice)
        let stranger = relay.addUser(3)
        client.sendTogether((0..<200).map { index in { RelayClient.fill(&$0, "r\(index)", stranger, "m") } })
        let (accepted, errors) = answers(client)
        // The first one makes the conversation for all.
        #expect(accepted == 60 / Limits.Sending.credits, "\(accepted)")
        #expect(errors.allSatisfy { $0.retryAfterMs > 0 && $0.retryAfterMs <= 60_000 })
    }

    @Test("A retry of what was accepted is answered as before, where nothing new would be")
    func retry() throws {
        let alice = relay.addUser(1)
        let client = relay.greet(alice)
        let stranger = relay.addUser(3)
        send(100, from: client, to: stranger)
        #expect(answers(client).errors.count > 30)
        client.message("r1", to: stranger, "mmmm")
        #expect(answers(client).accepted == 1)
        client.message("r1", to: stranger, "another")
        let (accepted, errors) = answers(client)
        #expect(accepted == 0 && errors.map(\.code) == [ErrorCode.refReused.rawValue])
    }

    @Test("No message waits for the buckets: they are slow, and a person does not notice")
    func slow() throws {
        let (alice, bob) = try friends()
        relay.buckets[0].isSlow = true
        let client = relay.greet(alice)
        send(75, from: client, to: bob)
        #expect(answers(client).accepted == 75)
        send(1, from: client, to: bob)
        #expect(answers(client).errors.map(\.retryAfterMs) == [UInt32(Limits.Sending.answerMilliseconds)])
        #expect(relay.buckets[0].draws.filter { $0.wanted == 37 }.count == 1, "one question at a time")
        relay.buckets[0].isSlow = false
        send(1, from: client, to: bob)
        #expect(answers(client).accepted == 1)
    }

    @Test("Users who send nothing ask for nothing, and friends cost nothing of what is for strangers")
    func quiet() throws {
        let (alice, bob) = try friends()
        let client = relay.greet(alice)
        #expect(relay.buckets[0].draws.isEmpty)
        send(20, from: client, to: bob)
        #expect(answers(client).accepted == 20)
        // One share of messages and one of bytes.
        #expect(relay.buckets[0].draws.count == 2)
    }

    @Test("Coming back forgives nothing, on the same node or another one")
    func reconnect() throws {
        let (alice, bob) = try friends()
        let other = relay.addNode("b") { $0.sending = Self.limits }
        var total = 0
        for round in 0..<60 {
            let client = relay.greet(alice, on: round.isMultiple(of: 2) ? relay.loop : other)
            send(80, from: client, to: bob)
            total += answers(client).accepted
            client.channel.close(promise: nil)
            relay.run()
        }
        // What is taken and not spent is not given back.
        #expect((400...750).contains(total), "\(total)")
    }

    @Test("Who left and owes nothing is forgotten; of those who owe so many are remembered")
    func forgotten() throws {
        let bob = relay.addUser(2)
        let friend = relay.greet(relay.addUser(3))
        try relay.store(1, from: bob, to: friend.user)
        send(1, from: friend, to: bob)
        friend.channel.close(promise: nil)
        relay.run()
        #expect(relay.loop.budgets.count == 0 && relay.loop.budgets.absentUsers.isEmpty)

        relay.buckets[0].isSlow = true
        for number in 0..<UInt64(Limits.Sending.absentUsers) + 5 {
            let client = relay.greet(relay.addUser(1_000 + number))
            send(1, from: client, to: bob)
            client.channel.close(promise: nil)
            relay.run()
        }
        // At the bound an eighth went.
        let kept = Limits.Sending.absentUsers - Limits.Sending.absentUsers / 8 + 5
        #expect(relay.loop.budgets.absentUsers.count == kept && relay.loop.budgets.count == kept)
        relay.buckets[0].isSlow = false
        relay.advance(seconds: 1)
        #expect(relay.loop.budgets.count == 0 && relay.loop.budgets.absentUsers.isEmpty)
    }

    @Test("Without the shared buckets each event loop has its own")
    func down() throws {
        let (alice, bob) = try friends()
        relay.cluster.isDown = true
        let client = relay.greet(alice)
        send(800, from: client, to: bob)
        #expect((550...675).contains(answers(client).accepted))
    }

    @Test("A node's canary is not bounded")
    func canary() throws {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let client = relay.connect(alice, isCounted: false)
        client.hello()
        client.drop()
        send(700, from: client, to: bob)
        #expect(answers(client).accepted == 700)
        #expect(relay.buckets[0].draws.isEmpty)
    }

    @Test("A send that is wrong, or that the store cannot take, keeps nothing from the next ones")
    func givenBack() throws {
        let alice = relay.addUser(1)
        let client = relay.greet(alice)
        let stranger = relay.addUser(3)
        relay.store.inner.failOperations(with: .unavailable("x"))
        send(100, from: client, to: stranger)
        #expect(answers(client).errors.allSatisfy { $0.code == ErrorCode.storeUnavailable.rawValue })
        relay.store.inner.failOperations(with: nil)
        send(50, from: client, to: UserID(rawValue: 99))
        #expect(answers(client).errors.allSatisfy { $0.code == ErrorCode.unknownUser.rawValue })
        send(60, from: client, to: stranger)
        #expect(answers(client).accepted == 60)
    }
}
