import BatonCore
import BatonProtocol
import BatonTestKit
import NIOCore
import Synchronization
import Testing

@testable import BatonGateway

@Suite("Messages that come on no connection")
struct SubmissionTests {
    private let relay = RelayFixture()

    /// The answers of a loop, in their order.
    private final class Answers: Sendable {
        private let values = Mutex<[Result<WireAccepted, FrameError>]>([])

        var all: [Result<WireAccepted, FrameError>] { values.withLock { $0 } }
        var accepted: [WireAccepted] { all.compactMap { try? $0.get() } }
        var codes: [String] {
            all.compactMap { answer in if case .failure(let error) = answer { error.error.code } else { nil } }
        }

        func add(_ answer: Result<WireAccepted, FrameError>) { values.withLock { $0.append(answer) } }
    }

    private func principal(_ user: UserID, device: UInt64 = 1) -> Principal {
        Principal(user: user, device: relay.device(device, of: user), expiresAt: relay.clock.now)
    }

    private func submit(
        _ ref: String, from user: UserID, to other: UserID, _ text: String = "hello", on loop: RelayLoop? = nil,
        into answers: Answers
    ) {
        var send = WireSend()
        send.ref = ref
        send.user = other.description
        send.content.text = text
        (loop ?? relay.loop).submit(send, by: principal(user)) { answers.add($0) }
        relay.run()
    }

    @Test("It reaches the recipient and the sender's other devices, and is the same message as on a connection")
    func delivered() {
        let (alice, bob) = (relay.addUser(1, devices: [1, 2]), relay.addUser(2))
        let receiver = relay.greet(bob, on: relay.addNode("b"))
        let (laptop, into:answers) = (relay.greet(alice, device: 2), Answers())
        submit("r", from: alice, to: bob, into: answers)
        #expect(receiver.events() == [1])
        #expect(laptop.events() == [1])
        #expect(answers.accepted.map(\.sequence) == [1])

        // A retry, by either way.
        submit("r", from: alice, to: bob, into: answers)
        let phone = relay.greet(alice)
        phone.message("r", to: bob)
        guard case .accepted(let again)? = phone.frames().last else {
            Issue.record("not accepted")
            return
        }
        #expect(answers.accepted == [again, again])
        #expect(receiver.events() == [])
        #expect(relay.metrics["baton_messages_accepted_total"] == 1)
        #expect(relay.metrics["baton_messages_repeated_total"] == 2)
    }

    @Test("What a connection would be told is told here: what is wrong, refused, limited")
    func rejected() throws {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let answers = Answers()
        submit("", from: alice, to: bob, into: answers)
        submit("r", from: alice, to: bob, "", into: answers)
        submit("r", from: alice, to: alice, into: answers)
        submit("r", from: alice, to: UserID(rawValue: 99), into: answers)
        submit("r", from: alice, to: bob, into: answers)
        submit("r", from: alice, to: bob, "something else", into: answers)
        #expect(answers.codes == ["invalid_field", "missing_field", "same_user", "unknown_user", "ref_reused"])
        #expect(answers.accepted.count == 1)
    }

    @Test("The limits of a user hold for both ways together; a share of them is not lost between two messages")
    func limited() throws {
        let node = relay.addNode("b") { settings in settings.sending.messagesPerMinute = 600 }
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        try relay.store(1, from: bob, to: alice)
        let answers = Answers()
        // One a second, each alone, for longer than shares would last if each message drew one.
        for number in 0..<60 {
            submit("slow\(number)", from: alice, to: bob, on: node, into: answers)
            relay.advance(seconds: 1)
        }
        #expect(answers.accepted.count == 60)
        #expect(node.budgets.count == 1 && node.budgets.absentUsers == [alice])
        let client = relay.greet(alice, on: node)
        for number in 0..<400 {
            client.message("s\(number)", to: bob)
            submit("d\(number)", from: alice, to: bob, on: node, into: answers)
        }
        let onConnection = client.frames().count { if case .accepted = $0 { true } else { false } }
        #expect((550...700).contains(onConnection + answers.accepted.count - 60))
        #expect(Set(answers.codes) == ["rate_limited"])
        #expect(node.budgets.count == 1, "both ways share one")
        client.channel.close(promise: nil)
        relay.advance(seconds: 2 * Limits.Sending.keptSeconds)
        #expect(node.budgets.count == 0 && node.budgets.absentUsers.isEmpty)
    }

    @Test("So many wait for the store, and the next is told to come again")
    func bounded() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let answers = Answers()
        relay.store.holdCommits()
        for number in 0...Limits.Node.submissions { submit("r\(number)", from: alice, to: bob, into: answers) }
        #expect(answers.codes == ["overloaded"] && answers.accepted.isEmpty)
        relay.store.releaseCommits()
        relay.run()
        #expect(answers.accepted.count == Limits.Node.submissions)
        submit("r", from: alice, to: bob, into: answers)
        #expect(answers.accepted.count == Limits.Node.submissions + 1)
    }

    @Test("A user's messages go through a loop that holds connections of the user, else always through the same")
    func loops() throws {
        let second = relay.addLoop(to: relay.node)
        let users = (1...8).map { relay.addUser($0) }
        for user in users {
            let first = try #require(relay.node.submissionLoop(of: user)?.value)
            #expect(relay.node.submissionLoop(of: user)?.value === first)
            let other = first === second ? relay.loop : second
            let client = relay.greet(user, on: other)
            #expect(relay.node.submissionLoop(of: user)?.value === other)
            client.channel.close(promise: nil)
            relay.run()
            #expect(relay.node.submissionLoop(of: user)?.value === first)
        }
        #expect(
            Set(users.map { ObjectIdentifier(relay.node.submissionLoop(of: $0).unsafelyUnwrapped.value) }).count == 2)
    }
}
