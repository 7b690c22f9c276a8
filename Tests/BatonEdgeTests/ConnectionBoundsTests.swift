import BatonCore
import BatonEdge
import BatonTestKit
import Testing

@Suite("The bounds of connections")
struct ConnectionBoundsTests {
    private func bounds(plain: Int = 4, reserve: Int = 2, address: Int = 3, addressReserve: Int = 1, sockets: Int = 2)
        -> ConnectionBounds<Int>
    {
        ConnectionBounds(
            .init(
                plain: plain, reserve: reserve, plainPerAddress: address, reservePerAddress: addressReserve,
                socketsPerAddress: sockets))
    }

    /// Opens a connection and lets it ask.
    private func ask(_ id: Int, from network: String, _ bounds: inout ConnectionBounds<Int>) {
        #expect(bounds.opened(id, from: network) == .taken)
        #expect(bounds.asked(id, from: network, isReserved: false) == .taken)
    }

    @Test("An address has as many as it may have at work, and one more that asks is refused")
    func address() {
        var bounds = bounds()
        for id in 1...3 { ask(id, from: "a", &bounds) }
        #expect(bounds.opened(4, from: "a") == .taken)
        #expect(bounds.asked(4, from: "a", isReserved: false) == .refused(.plainPerAddress))
        #expect(bounds.opened(5, from: "b") == .taken)
        #expect(bounds.asked(5, from: "b", isReserved: false) == .taken)
        bounds.ended(1)
        #expect(bounds.opened(6, from: "a") == .taken)
        #expect(bounds.asked(6, from: "a", isReserved: false) == .taken)
    }

    @Test("One that waits gives way to one of its address that asks, the longest waiting first")
    func waiting() {
        var bounds = bounds()
        for id in 1...3 { ask(id, from: "a", &bounds) }
        bounds.answered(2)
        bounds.answered(1)
        #expect(bounds.opened(4, from: "a") == .taken)
        #expect(bounds.asked(4, from: "a", isReserved: false) == .takenFor(2, .plainPerAddress))
        // The same on a connection that is there: it does not give way to itself.
        bounds.answered(4)
        bounds.answered(3)
        #expect(bounds.asked(4, from: "a", isReserved: false) == .taken)
    }

    @Test("One that was told no, or that asked for health, makes no room for a request by its end")
    func noRoom() {
        var bounds = bounds(plain: 1, reserve: 5)
        ask(1, from: "a", &bounds)
        for id in 2...4 {
            #expect(bounds.opened(id, from: "b") == .taken)
            #expect(bounds.asked(id, from: "b", isReserved: false) == .refused(.plain))
        }
        #expect(bounds.opened(5, from: "c") == .taken)
        #expect(bounds.asked(5, from: "c", isReserved: true) == .taken)
        bounds.answered(5)
        #expect(bounds.opened(6, from: "d") == .taken)
        #expect(bounds.asked(6, from: "d", isReserved: false) == .refused(.plain))
        bounds.answered(1)
        #expect(bounds.asked(6, from: "d", isReserved: false) == .takenFor(1, .plain))
    }

    @Test("Where all are at work, health and WebSockets are let in from the reserve, and nothing else")
    func reserve() {
        var bounds = bounds(address: 10)
        for id in 1...4 { ask(id, from: "a", &bounds) }
        #expect(bounds.opened(5, from: "h") == .taken)
        #expect(bounds.asked(5, from: "h", isReserved: true) == .taken)
        #expect(bounds.opened(6, from: "w") == .taken)
        #expect(bounds.admitted(6, from: "w") == .taken)
        bounds.upgraded(6)
        #expect(bounds.open == 5)
        #expect(bounds.opened(7, from: "x") == .taken)
        #expect(bounds.asked(7, from: "x", isReserved: false) == .refused(.plain))
        // It is told so, and is the first to give way then.
        #expect(bounds.opened(8, from: "h") == .takenFor(7, .plain))
        #expect(bounds.asked(8, from: "h", isReserved: true) == .taken)
        #expect(bounds.opened(9, from: "h") == .refused(.plain))
        // A connection that asked for health has no place among the others by that.
        bounds.answered(5)
        #expect(bounds.asked(5, from: "h", isReserved: false) == .refused(.plain))
    }

    @Test("Those that say nothing give way to those who come, and never keep anybody out")
    func silent() {
        var bounds = bounds()
        for id in 1...4 { #expect(bounds.opened(id, from: "a") == .taken) }
        #expect(bounds.opened(5, from: "a") == .takenFor(1, .plainPerAddress))
        #expect(bounds.opened(6, from: "b") == .taken)
        #expect(bounds.opened(7, from: nil) == .taken)
        #expect(bounds.opened(8, from: nil) == .takenFor(2, .plain))
        #expect(bounds.asked(8, from: "c", isReserved: false) == .taken)
    }

    @Test("Behind a proxy each request counts for its own address")
    func proxied() {
        var bounds = bounds(plain: 9)
        for id in 1...3 {
            #expect(bounds.opened(id, from: nil) == .taken)
            #expect(bounds.asked(id, from: "a", isReserved: false) == .taken)
        }
        #expect(bounds.opened(4, from: nil) == .taken)
        #expect(bounds.asked(4, from: "b", isReserved: false) == .taken)
        bounds.answered(4)
        #expect(bounds.asked(4, from: "a", isReserved: false) == .refused(.plainPerAddress))
        bounds.answered(3)
        #expect(bounds.asked(3, from: "b", isReserved: false) == .taken)
        #expect(bounds.opened(5, from: nil) == .taken)
        #expect(bounds.asked(5, from: "a", isReserved: false) == .taken)
    }

    @Test("An address has as many WebSockets as it may have, those included that are being looked at")
    func sockets() {
        var bounds = bounds()
        #expect(bounds.opened(1, from: "a") == .taken && bounds.admitted(1, from: "a") == .taken)
        bounds.upgraded(1)
        #expect(bounds.opened(2, from: "a") == .taken && bounds.admitted(2, from: "a") == .taken)
        #expect(bounds.upgrading == 1)
        #expect(bounds.opened(3, from: "a") == .taken)
        #expect(bounds.admitted(3, from: "a") == .refused(.socketsPerAddress))
        // Its token was refused.
        bounds.ending(2)
        #expect(bounds.upgrading == 0)
        #expect(bounds.admitted(3, from: "a") == .taken)
        bounds.upgraded(3)
        #expect(bounds.opened(4, from: "a") == .taken)
        #expect(bounds.admitted(4, from: "a") == .refused(.socketsPerAddress))
        bounds.ended(1)
        #expect(bounds.admitted(4, from: "a") == .taken)
    }

    @Test("Whatever comes and goes, the bounds hold, and with the last connection nothing is left")
    func random() {
        var generator = SeededGenerator(seed: 18)
        let sizes = ConnectionBounds<Int>.Sizes(
            plain: 6, reserve: 3, plainPerAddress: 3, reservePerAddress: 1, socketsPerAddress: 2)
        for _ in 0..<50 {
            var bounds = ConnectionBounds<Int>(sizes)
            var open: [Int] = []
            for id in 0..<400 {
                let network = ["a", "b", "c", "d"].randomElement(using: &generator) ?? "a"
                switch Int.random(in: 0..<8, using: &generator) {
                case 0...2:
                    switch bounds.opened(id, from: Bool.random(using: &generator) ? network : nil) {
                    case .taken: open.append(id)
                    case .takenFor(let other, _):
                        open.removeAll { $0 == other }
                        open.append(id)
                    case .refused: break
                    }
                case 3...4:
                    guard let one = open.randomElement(using: &generator) else { continue }
                    let verdict = bounds.asked(one, from: network, isReserved: Bool.random(using: &generator))
                    if case .takenFor(let other, _) = verdict { open.removeAll { $0 == other } }
                    #expect(verdict != .takenFor(one, .plain) && verdict != .takenFor(one, .plainPerAddress))
                case 5: if let one = open.randomElement(using: &generator) { bounds.answered(one) }
                case 6:
                    guard let one = open.randomElement(using: &generator) else { continue }
                    if bounds.admitted(one, from: network) == .taken, Bool.random(using: &generator) {
                        bounds.upgraded(one)
                    }
                default:
                    guard let one = open.randomElement(using: &generator) else { continue }
                    bounds.ended(one)
                    open.removeAll { $0 == one }
                }
                #expect(bounds.open <= sizes.plain + sizes.reserve && bounds.plain() <= sizes.plain)
                for network in ["a", "b", "c", "d"] { #expect(bounds.plain(of: network) <= sizes.plainPerAddress) }
            }
            for one in open { bounds.ended(one) }
            #expect(bounds.open == 0 && bounds.upgrading == 0 && bounds.isEmpty)
        }
    }

    @Test("Of a bound that is met there is one line, and one when it was not met for a while")
    func watch() {
        var watch = BoundWatch(quietSeconds: 10)
        #expect(!watch.isAnyMet)
        #expect(watch.isMet(.plain, second: 100) == true)
        #expect(watch.isMet(.plain, second: 105) == false)
        #expect(watch.isMet(.admission, second: 108) == true)
        #expect(watch.over(second: 114) == [])
        #expect(watch.over(second: 115) == [.init(bound: .plain, times: 2)])
        #expect(watch.isMet(.plain, second: 116) == true)
        #expect(watch.over(second: 126) == [.init(bound: .plain, times: 1), .init(bound: .admission, times: 1)])
        #expect(!watch.isAnyMet)
    }
}
