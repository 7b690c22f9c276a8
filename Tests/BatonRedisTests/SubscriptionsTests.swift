import BatonCore
import Testing

@testable import BatonRedis

@Suite("Subscriptions of an event loop")
struct SubscriptionsTests {
    private static func channel(_ number: UInt64) -> Subscriptions.Channel { .bus(.user(UserID(rawValue: number))) }

    @Test("A subscription is wanted while disconnected, and made when connected")
    func wantedWhileDown() {
        var machine = Subscriptions(window: 10, batch: 10)
        #expect(machine.subscribed(Self.channel(1)) { _ in } == false)
        #expect(machine.nextOrder() == nil)
        machine.connected()
        #expect(machine.isRestored == false)
        #expect(machine.nextOrder() == .subscribe([Self.channel(1)]))
        #expect(machine.nextOrder() == nil)
        #expect(machine.confirmed(Self.channel(1), isPresent: true).isEmpty == true)
        #expect(machine.isRestored == true)
        #expect(machine.subscribed(Self.channel(1)) { _ in } == true)
    }

    @Test("Leaving a channel before Redis confirmed it ends unsubscribed")
    func changedMind() {
        var machine = Subscriptions(window: 10, batch: 10)
        machine.connected()
        #expect(machine.subscribed(Self.channel(1)) { _ in } == nil)
        #expect(machine.nextOrder() == .subscribe([Self.channel(1)]))
        #expect(machine.unsubscribed(Self.channel(1)).count == 1)
        #expect(machine.nextOrder() == nil)
        #expect(machine.confirmed(Self.channel(1), isPresent: true).isEmpty == true)
        #expect(machine.nextOrder() == .unsubscribe(Self.channel(1)))
        #expect(machine.confirmed(Self.channel(1), isPresent: false).isEmpty == true)
        #expect(machine.nextOrder() == nil)
        #expect(machine.wanted == 0)
    }

    @Test("No more channels are under way than the window holds")
    func window() {
        var machine = Subscriptions(window: 4, batch: 3)
        for number in 1...10 { _ = machine.subscribed(Self.channel(UInt64(number))) { _ in } }
        machine.connected()
        var underWay: [Subscriptions.Channel] = []
        var confirmed = 0
        while true {
            while case .subscribe(let channels)? = machine.nextOrder() {
                #expect(channels.count <= 3)
                underWay += channels
            }
            // A batch may begin while one place is free.
            #expect(underWay.count <= 4)
            guard let first = underWay.first else { break }
            underWay.removeFirst()
            _ = machine.confirmed(first, isPresent: true)
            confirmed += 1
        }
        #expect(confirmed == 10)
        #expect(machine.isRestored == true)
    }

    @Test("Whatever is called in whatever order, Redis ends up with what was wanted and each caller is answered once")
    func anyOrder() {
        for seed in 0..<200 {
            var generator = SeededGenerator(seed: UInt64(seed))
            var machine = Subscriptions(window: 3, batch: 2)
            var wanted: Set<Subscriptions.Channel> = []
            var server: Set<Subscriptions.Channel> = []
            var underWay: [(Subscriptions.Channel, Bool)] = []
            var answers: [Int: Int] = [:]
            var asked = 0
            func pump(_ machine: inout Subscriptions) {
                while let order = machine.nextOrder() {
                    switch order {
                    case .subscribe(let channels): underWay += channels.map { ($0, true) }
                    case .unsubscribe(let channel): underWay.append((channel, false))
                    }
                }
            }
            func answer(_ machine: inout Subscriptions) {
                guard !underWay.isEmpty else { return }
                let (channel, isPresent) = underWay.removeFirst()
                if isPresent { server.insert(channel) } else { server.remove(channel) }
                for confirmed in machine.confirmed(channel, isPresent: isPresent) { confirmed(true) }
            }
            for _ in 0..<300 {
                let channel = Self.channel(.random(in: 1...5, using: &generator))
                switch Int.random(in: 0..<10, using: &generator) {
                case 0...3:
                    wanted.insert(channel)
                    let number = asked
                    asked += 1
                    if machine.subscribed(channel, confirmed: { _ in answers[number, default: 0] += 1 }) != nil {
                        answers[number, default: 0] += 1
                    }
                case 4...6:
                    wanted.remove(channel)
                    for confirmed in machine.unsubscribed(channel) { confirmed(false) }
                case 7, 8:
                    answer(&machine)
                default:
                    if Bool.random(using: &generator) {
                        for confirmed in machine.disconnected() { confirmed(false) }
                        underWay = []
                        server = []
                        machine.connected()
                    }
                }
                pump(&machine)
            }
            for confirmed in machine.disconnected() { confirmed(false) }
            underWay = []
            server = []
            machine.connected()
            pump(&machine)
            while !underWay.isEmpty {
                answer(&machine)
                pump(&machine)
            }
            #expect(server == wanted, "seed \(seed)")
            #expect(machine.isRestored == true)
            #expect(machine.wanted == wanted.count)
            #expect((0..<asked).allSatisfy { answers[$0] == 1 }, "seed \(seed)")
        }
    }
}
