import BatonCore
import BatonTestKit
import Foundation
import Testing

@testable import BatonStore

@Suite("The processes of a store, and their clocks")
struct StorePeersTests {
    /// A store's path in a directory of its own, and the host's clock.
    private final class Host: Sendable {
        let directory: URL
        let clock = MutableClock(Timestamp(milliseconds: 1_800_000_000_000))
        var store: String { directory.appendingPathComponent("baton.sqlite").path }
        var file: String { store + "-peers" }

        init() throws {
            directory = FileManager.default.temporaryDirectory.appendingPathComponent(
                "baton-peers-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(at: directory) }

        func process(_ number: UInt64, aheadBySeconds seconds: Int64 = 0) -> StorePeers {
            StorePeers(store: store, clock: Ahead(clock: clock, milliseconds: seconds * 1_000), id: number)
        }

        /// Each process looks once a second.
        func pass(seconds: Int, _ processes: StorePeers...) {
            for _ in 0..<seconds {
                clock.advance(by: .seconds(1))
                for process in processes { process.look() }
            }
        }
    }

    private struct Ahead: CivilClock {
        let clock: MutableClock
        let milliseconds: Int64
        var now: Timestamp { clock.now.advanced(byMilliseconds: milliseconds) }
    }

    @Test("A clock that is minutes off is moved to that of the others, and theirs are not", arguments: [600, -600])
    func wrong(seconds: Int64) throws {
        let host = try Host()
        let (one, two) = (host.process(1), host.process(2))
        host.pass(seconds: 3, one, two)
        let wrong = host.process(3, aheadBySeconds: seconds)
        wrong.look()
        #expect(wrong.isContradicted && !one.isContradicted && !two.isContradicted)
        host.pass(seconds: 3, one, two, wrong)
        #expect(one.clockCorrection == 0 && two.clockCorrection == 0)
        let clock = StoreClock(Ahead(clock: host.clock, milliseconds: seconds * 1_000), agreedAmong: wrong)
        let off = clock.now.milliseconds - host.clock.now.milliseconds
        #expect((-1_000...0).contains(off), "off by \(off)")
        // However long, it stays so; a line that is a second old moves nothing.
        let before = wrong.clockCorrection
        host.pass(seconds: 60, one, two, wrong)
        #expect(wrong.clockCorrection == before)
    }

    @Test("Of two that differ the one that came later yields, unless the other doubts its own clock")
    func two() throws {
        let host = try Host()
        let first = host.process(1, aheadBySeconds: 600)
        host.pass(seconds: 10, first)
        let second = host.process(2)
        host.pass(seconds: 3, first, second)
        #expect(first.clockCorrection == 0 && second.clockCorrection > 590_000)
        first.doubtClock(true)
        host.pass(seconds: 3, first, second)
        #expect(second.clockCorrection == 0 && first.clockCorrection < -599_000)
        // Where everybody doubts theirs, as with a wrong clock of Redis, nothing is different from before.
        second.doubtClock(true)
        host.pass(seconds: 3, first, second)
        #expect(first.clockCorrection == 0 && second.clockCorrection > 590_000)
    }

    @Test("When the host's clock is moved all go with it")
    func moved() throws {
        let host = try Host()
        let (one, two) = (host.process(1), host.process(2))
        host.pass(seconds: 5, one, two)
        host.clock.advance(by: .seconds(3_600))
        host.pass(seconds: 3, one, two)
        #expect(one.clockCorrection == 0 && two.clockCorrection == 0)
        host.clock.advance(by: .seconds(-3_600))
        host.pass(seconds: 3, one, two)
        #expect(one.clockCorrection == 0 && two.clockCorrection == 0)
    }

    @Test("Processes that ended, or that nobody has seen move, have no say")
    func dead() throws {
        let host = try Host()
        let (one, two) = (host.process(1), host.process(2))
        host.pass(seconds: 3, one, two)
        let late = host.process(3, aheadBySeconds: 600)
        for _ in 0..<20 { late.look() }
        #expect(late.clockCorrection == 0, "they may have died long ago")
        // Those who were killed count for so many looks.
        host.pass(seconds: 2, one, two, late)
        #expect(late.clockCorrection != 0)
        host.pass(seconds: Limits.Store.peerLooks - 1, late)
        #expect(late.clockCorrection != 0)
        host.pass(seconds: 1, late)
        #expect(late.clockCorrection == 0)
    }

    @Test("Clocks that differ by the bound are one, by more are two", arguments: [(5_000, 0), (5_001, -5_001)])
    func tolerance(milliseconds: Int64, correction: Int64) {
        let own = ClockVote.Ballot(difference: 0, isDoubtful: false, beats: 1)
        let others = [10, 11].map { ClockVote.Ballot(difference: -milliseconds, isDoubtful: false, beats: $0) }
        #expect(Limits.Store.clocksApartMilliseconds == 5_000)
        #expect(ClockVote.correction(own: own, others: others) == correction)
    }

    @Test("They find each other's names and addresses, also those that do not answer any more")
    func names() throws {
        let host = try Host()
        let (one, two, again) = (host.process(1), host.process(2), host.process(3))
        func node(_ name: String) throws -> NodeID { try #require(NodeID(name)) }
        one.introduce(node: try node("n1"), incarnation: 5, address: "127.0.0.1:1")
        two.introduce(node: try node("n2"), incarnation: 6, address: "[::1]:2")
        host.pass(seconds: 2, one, two)
        #expect(one.others.map(\.address) == ["[::1]:2"] && one.others.map(\.incarnation) == [6])
        #expect(StorePeers.all(ofStore: host.store).map(\.node?.name) == ["n1", "n2"])
        // The second was killed, and is started again.
        again.introduce(node: try node("n2"), incarnation: 7, address: "127.0.0.1:3")
        host.pass(seconds: 2, one, again)
        #expect(one.others.map(\.address) == ["127.0.0.1:3"])
        again.leave()
        two.leave()
        host.pass(seconds: 1, one)
        #expect(one.others.isEmpty)
        #expect(try FileManager.default.attributesOfItem(atPath: host.file)[.posixPermissions] as? Int == 0o600)
        let text = try String(contentsOfFile: host.file, encoding: .utf8)
        #expect(text.contains(" node=n1 incarnation=5 address=127.0.0.1:1 "))
    }

    @Test("There is room for so many; one more takes the place of one that has stood for long, and no other's")
    func room() throws {
        let host = try Host()
        let all = (1...UInt64(Limits.Store.peers)).map { host.process($0) }
        for process in all { process.look() }
        let late = host.process(1_000)
        late.introduce(node: try #require(NodeID("late")), incarnation: 1, address: "127.0.0.1:1")
        for _ in 0..<Limits.Store.peerLooks {
            for process in all.dropLast() { process.look() }
            late.look()
            #expect(StorePeers.all(ofStore: host.store).isEmpty)
        }
        for _ in 0...(2 * Limits.Store.peerLooks) {
            for process in all.dropLast() { process.look() }
            late.look()
        }
        #expect(StorePeers.all(ofStore: host.store).map(\.node?.name) == ["late"])
        let size = try FileManager.default.attributesOfItem(atPath: host.file)[.size] as? Int
        #expect(size == Limits.Store.peers * StorePeer.lineBytes)
    }

    @Test("What nobody has written is passed over, and the file may be missing, a folder, or not writable")
    func junk() throws {
        let host = try Host()
        var generator = SeededGenerator(seed: 5)
        let one = host.process(1)
        one.look()
        for beat in 0..<200 {
            let junk = (0..<1_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let line = "id=0000000000009 beat=\(beat) at=\(Int64.min) doubt=no node=x incarnation=1 address=a:1"
            let lines = [Data(junk), Data(String(repeating: line + "\n", count: 3).utf8), Data()]
            try lines[Int.random(in: 0...2, using: &generator)].write(to: URL(fileURLWithPath: host.file))
            one.look()
            _ = one.isContradicted
            host.clock.advance(by: .seconds(1))
            one.look()
        }
        #expect(one.clockCorrection == 0)
        try FileManager.default.removeItem(atPath: host.file)
        try FileManager.default.createDirectory(atPath: host.file, withIntermediateDirectories: false)
        one.look()
        one.leave()
        #expect(StorePeers.all(ofStore: host.store).isEmpty && StorePeers.all(ofStore: "/nowhere/at/all").isEmpty)
    }

    @Test("A line comes back as it was, and one that is too long is not written")
    func lines() throws {
        var peer = StorePeer(id: .max, at: Timestamp(milliseconds: -1))
        peer.beat = .max
        peer.isClockDoubtful = true
        peer.incarnation = .max
        for (name, address) in [(nil, ""), (String(repeating: "n", count: NodeID.maximumLength), "[::1]:65535")] {
            peer.node = name.flatMap { NodeID($0) }
            peer.address = address
            let line = try #require(peer.line)
            #expect(line.count == StorePeer.lineBytes && StorePeer(line: line) == peer)
        }
        for address in [String(repeating: "a", count: StorePeer.lineBytes), "a b:1", "a\nb:1"] {
            peer.address = address
            #expect(peer.line == nil)
        }
    }

    @Test("A message's time follows the one before it by the bound")
    func following() {
        let now = Timestamp(milliseconds: 1_000_000)
        let bound = Limits.Store.timesAheadMilliseconds
        let cases: [(Int64, Int64)] = [(-5, 0), (0, 0), (bound, bound), (bound + 1, bound), (600_000, bound)]
        for (last, expected) in cases {
            let time = now.following(now.advanced(byMilliseconds: last))
            #expect(time == now.advanced(byMilliseconds: expected), "\(last)")
        }
        #expect(Timestamp(milliseconds: .max).following(Timestamp(milliseconds: .min)).milliseconds == .max)
        #expect(Timestamp(milliseconds: .min).following(Timestamp(milliseconds: .max)).milliseconds == .min + bound)
    }
}
