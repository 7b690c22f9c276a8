import BatonCore
import Testing

@testable import BatonGateway

@Suite("What is counted of connections")
struct CensusTests {
    @Test("A reader whose window stays full is slow from the second look on, and named, until it has room")
    func slowReader() throws {
        let relay = RelayFixture { $0.windowEvents = 4 }
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob))
        for number in 0..<10 { sender.message("r\(number)", to: bob) }
        #expect(receiver.events() == [1, 2, 3, 4])
        relay.advance(seconds: 1)
        #expect(relay.node.census.unacknowledged == 10)
        #expect(relay.node.census.slowReaders == 0)
        relay.advance(seconds: 2)
        #expect(relay.node.census.slowReaders == 1)
        let slow = try #require(relay.node.census.slowest.first)
        #expect(slow.user == bob && slow.waiting == 6 && slow.milliseconds == 2_000)
        receiver.ack(4)
        relay.advance(seconds: 1)
        receiver.ack(8)
        relay.advance(seconds: 1)
        // Its receipts wait at alice, who acknowledges nothing either, within her window.
        #expect(relay.node.census.slowReaders == 0)
        #expect(relay.node.census.slowest.isEmpty)
    }

    @Test("The slowest are named, up to the bound; all are counted")
    func bound() {
        var (one, other) = (ConnectionCensus(), ConnectionCensus())
        for number in 1...ConnectionCensus.named {
            one.count(reader(Int64(number)))
            other.count(reader(Int64(100 + number)))
        }
        one.count(unacknowledged: 3)
        other.count(unacknowledged: 4)
        one.add(other)
        #expect(one.slowReaders == 2 * ConnectionCensus.named)
        #expect(one.unacknowledged == 7)
        #expect(one.slowest.count == ConnectionCensus.named)
        #expect(one.slowest.map(\.milliseconds) == (101...Int64(100 + ConnectionCensus.named)).reversed())
    }

    private func reader(_ milliseconds: Int64) -> ConnectionCensus.SlowReader {
        ConnectionCensus.SlowReader(
            user: UserID(rawValue: 1), device: DeviceID(rawValue: 1), milliseconds: milliseconds, waiting: 1)
    }
}
