import BatonCore
import BatonProtocol
import Foundation
import Testing

@testable import BatonGateway

/// What a message costs the relay in allocations, held against the last row of the article `Allocations`.
///
/// Counted in a debug build, on one thread, without what the store and the bus allocate. The numbers of a release build
/// are lower; what matters is that they do not grow unseen.
@Suite("Allocations of a message")
struct AllocationTests {
    /// So many at once, after as many that are not counted: what grows now and then hardly counts.
    private static let messages = 256

    @Test("No more than the article says")
    func limits() throws {
        let limits = try AllocationRow.last()
        let counts = AllocationRow(
            send: try Self.send(), local: try Self.local(), remote: try Self.remote(), drained: try Self.drained())
        #expect(counts.isWithin(limits), "counted \(counts), allowed \(limits)")
    }

    @Test("An allocation is counted, and not where it is not to be")
    func counts() {
        var kept: [[UInt8]] = []
        kept.reserveCapacity(8)
        #expect(Allocations.counted { kept.append(Array(repeating: 1, count: 100)) } == 1)
        #expect(Allocations.counted { Allocations.uncounted { kept.append(Array(repeating: 1, count: 100)) } } == 0)
        #expect(kept.count == 2)
    }

    /// From a frame's bytes to the answer and to the bus; nobody is connected to get it.
    private static func send() throws -> UInt64 {
        let fixture = RelayFixture()
        let alice = fixture.greet(fixture.addUser(1))
        let bob = fixture.addUser(2)
        return perMessage(
            try frames(to: bob), { frame in alice.receive(frame) },
            { alice.written().count { if case .accepted = $0 { true } else { false } } })
    }

    /// The same with a recipient at the same node: what the delivery adds.
    private static func local() throws -> UInt64 {
        let fixture = RelayFixture()
        let alice = fixture.greet(fixture.addUser(1))
        let bob = fixture.greet(fixture.addUser(2))
        let both = perMessage(
            try frames(to: bob.user), { frame in alice.receive(frame) },
            {
                alice.drop()
                let events = bob.events()
                if let last = events.last { bob.ack(last) }
                return events.count
            })
        return both - min(both, try send())
    }

    /// From the bus to the socket, of a message that another node took.
    private static func remote() throws -> UInt64 {
        let fixture = RelayFixture()
        let other = fixture.addNode("b")
        let alice = fixture.greet(fixture.addUser(1))
        let bob = fixture.greet(fixture.addUser(2), on: other)
        let both = perMessage(
            try frames(to: bob.user), { frame in alice.receive(frame) },
            {
                alice.drop()
                let events = bob.events()
                if let last = events.last { bob.ack(last) }
                return events.count
            })
        return both - min(both, try send())
    }

    /// From a page of the store to the socket.
    private static func drained() throws -> UInt64 {
        func greeting(_ waiting: Int) throws -> UInt64 {
            let fixture = RelayFixture()
            let (alice, bob) = (fixture.addUser(1), fixture.addUser(2))
            try fixture.store(waiting, from: alice, to: bob)
            let client = fixture.connect(bob)
            let count = Allocations.counted { client.hello() }
            #expect(client.events().count == waiting)
            return count
        }
        let some = try greeting(8)
        let more = UInt64(messages / 2)
        return (try greeting(8 + messages / 2) - some + more / 2) / more
    }

    private static func frames(to user: UserID) throws -> [[UInt8]] {
        try (0..<2 * messages).map { number in
            var frame = WireClientFrame()
            RelayClient.fill(&frame, "ref-\(number)", user, "a text of some length, as people write it")
            return RelayClient.bytes(of: try FrameCodec.encode(frame, as: .proto))
        }
    }

    /// Each frame alone, and what came of it.
    private static func perMessage(
        _ frames: [[UInt8]], _ receive: ([UInt8]) -> Void, _ came: () -> Int
    ) -> UInt64 {
        var count: UInt64 = 0
        for (number, frame) in frames.enumerated() {
            let one = Allocations.counted { receive(frame) }
            if number >= messages { count += one }
            #expect(came() == 1)
        }
        return (count + UInt64(messages / 2)) / UInt64(messages)
    }
}

/// A row of the article's table.
private struct AllocationRow: CustomStringConvertible {
    let send: UInt64
    let local: UInt64
    let remote: UInt64
    let drained: UInt64

    var description: String { "send \(send), local \(local), remote \(remote), drained \(drained)" }

    func isWithin(_ limits: AllocationRow) -> Bool {
        send <= limits.send && local <= limits.local && remote <= limits.remote && drained <= limits.drained
    }

    static func last() throws -> AllocationRow {
        let article = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Sources/BatonCore/BatonCore.docc/Allocations.md")
        let line = try String(contentsOf: article, encoding: .utf8).split(separator: "\n").last { $0.hasPrefix("|") }
        let numbers = try #require(line).split(separator: "|")
            .compactMap { UInt64($0.trimmingCharacters(in: .whitespaces)) }
        try #require(numbers.count == 4)
        return AllocationRow(send: numbers[0], local: numbers[1], remote: numbers[2], drained: numbers[3])
    }
}
