import BatonCore
import Testing

@Suite struct InboxDeliveryTests {
    @Test("A connection that has everything is told so once")
    func caughtUpOnce() {
        var delivery = InboxDelivery(from: at(5), head: at(5))
        #expect(delivery.nextStep() == .caughtUp(at(5)))
        #expect(delivery.nextStep() == .wait)
    }

    @Test("The next event's hint is forwarded, an older one dropped")
    func forwardsNext() {
        var delivery = caughtUp(5)
        #expect(delivery.receivedHint(at(6), cost: 10) == .forward)
        #expect(delivery.receivedHint(at(6), cost: 10) == .drop)
        #expect(delivery.receivedHint(at(3), cost: 10) == .drop)
        #expect(delivery.sent == at(6))
    }

    @Test("A hint beyond the next is a gap: the inbox is read, and the hint's event comes with the page")
    func gapIsRead() {
        var delivery = caughtUp(5)
        let step = InboxDelivery.Step.read(after: at(5), limit: 4, bytes: 100)
        #expect(delivery.receivedHint(at(7), cost: 10) == .later(step, isGap: true))
        #expect(delivery.receivedPageEvent(at(6), cost: 10) == true)
        #expect(delivery.receivedPageEvent(at(7), cost: 10) == true)
        #expect(delivery.receivedPageEnd(head: at(7), truncated: .zero) == .step(.wait))
        #expect(delivery.receivedHint(at(8), cost: 10) == .forward)
    }

    @Test("A hint during a read makes another read, unless the page brought it")
    func hintDuringRead() {
        var delivery = InboxDelivery(from: at(0), head: at(1), windowEvents: 4, windowBytes: 100)
        #expect(delivery.nextStep() == .read(after: at(0), limit: 4, bytes: 100))
        #expect(delivery.receivedHint(at(2), cost: 10) == .later(.wait, isGap: false))
        #expect(delivery.receivedPageEvent(at(1), cost: 10) == true)
        #expect(
            delivery.receivedPageEnd(head: at(1), truncated: .zero) == .step(.read(after: at(1), limit: 3, bytes: 90)))
        #expect(delivery.receivedPageEvent(at(2), cost: 10) == true)
        #expect(delivery.receivedPageEnd(head: at(2), truncated: .zero) == .step(.caughtUp(at(2))))
    }

    @Test("A hint for an event that the store does not have ends in waiting, not in reading forever")
    func phantomHint() {
        var delivery = caughtUp(5)
        _ = delivery.receivedHint(at(9), cost: 10)
        #expect(delivery.receivedPageEnd(head: at(5), truncated: .zero) == .step(.wait))
        #expect(delivery.receivedHint(at(6), cost: 10) == .forward)
    }

    @Test("At the window's bound nothing more is sent until half of it is acknowledged")
    func windowOfEvents() {
        var delivery = caughtUp(0)
        for position in 1...4 { #expect(delivery.receivedHint(at(position), cost: 1) == .forward) }
        #expect(delivery.receivedHint(at(5), cost: 1) == .later(.wait, isGap: false))
        #expect(delivery.isBlocked)
        #expect(delivery.receivedAcknowledgement(at(1)) == .advanced(.wait))
        #expect(delivery.receivedAcknowledgement(at(2)) == .advanced(.read(after: at(4), limit: 2, bytes: 98)))
    }

    @Test("The window counts bytes too")
    func windowOfBytes() {
        var delivery = caughtUp(0)
        #expect(delivery.receivedHint(at(1), cost: 100) == .forward)
        #expect(delivery.receivedHint(at(2), cost: 1) == .later(.wait, isGap: false))
        #expect(delivery.receivedAcknowledgement(at(1)) == .advanced(.read(after: at(1), limit: 4, bytes: 100)))
    }

    @Test("A socket that takes nothing stops the reading; when it takes again, the inbox is read")
    func writability() {
        var delivery = caughtUp(0)
        #expect(delivery.writabilityChanged(false) == .wait)
        #expect(delivery.receivedHint(at(1), cost: 1) == .later(.wait, isGap: false))
        #expect(delivery.isBlocked)
        #expect(delivery.writabilityChanged(true) == .read(after: at(0), limit: 4, bytes: 100))
    }

    @Test("Acknowledgements are cumulative, ignore the past and cannot name the future")
    func acknowledgements() {
        var delivery = caughtUp(3)
        _ = delivery.receivedHint(at(4), cost: 1)
        _ = delivery.receivedHint(at(5), cost: 1)
        #expect(delivery.receivedAcknowledgement(at(6)) == .beyondSent(last: at(5)))
        #expect(delivery.receivedAcknowledgement(at(5)) == .advanced(.wait))
        #expect(delivery.receivedAcknowledgement(at(4)) == .old)
        #expect(delivery.receivedAcknowledgement(at(2)) == .old)
        #expect(delivery.eventsInFlight == 0)
    }

    @Test("Events that were removed before they were sent end the connection rather than be skipped")
    func truncation() {
        var delivery = caughtUp(3)
        _ = delivery.receivedHint(at(9), cost: 1)
        #expect(delivery.receivedPageEnd(head: at(9), truncated: at(7)) == .truncated(at(7)))
    }

    @Test("A failed read is tried again when it is asked for")
    func failedRead() {
        var delivery = InboxDelivery(from: at(0), head: at(1), windowEvents: 4, windowBytes: 100)
        #expect(delivery.nextStep() == .read(after: at(0), limit: 4, bytes: 100))
        delivery.pageFailed()
        #expect(delivery.nextStep() == .read(after: at(0), limit: 4, bytes: 100))
    }

    @Test("Whatever the bus loses, doubles and reorders, the connection gets every event once and in order")
    func anyBus() {
        var generator = SeededGenerator(seed: 42)
        for _ in 0..<200 {
            var delivery = InboxDelivery(from: .zero, head: .zero, windowEvents: 8, windowBytes: 1_000)
            var reading: InboxSequence?
            var received: [UInt64] = []
            var stored: UInt64 = 0
            func act(_ step: InboxDelivery.Step) {
                if case .read(let after, _, _) = step { reading = after }
            }
            act(delivery.nextStep())
            for _ in 0..<300 {
                switch UInt8.random(in: 0..<10, using: &generator) {
                case 0...3:
                    stored += 1
                case 4, 5:
                    let back = UInt64.random(in: 0...3, using: &generator)
                    guard stored > back else { break }
                    let hint = at(Int(stored - back))
                    switch delivery.receivedHint(hint, cost: 10) {
                    case .forward: received.append(hint.rawValue)
                    case .later(let step, _): act(step)
                    case .drop: break
                    }
                case 6, 7:
                    guard let after = reading else { break }
                    reading = nil
                    if UInt8.random(in: 0..<8, using: &generator) == 0 {
                        delivery.pageFailed()
                        break
                    }
                    for position in (after.rawValue + 1)..<(max(stored, after.rawValue) + 1) {
                        if delivery.eventsInFlight < 8, delivery.receivedPageEvent(at(Int(position)), cost: 10) {
                            received.append(position)
                        }
                    }
                    if case .step(let step) = delivery.receivedPageEnd(head: at(Int(stored)), truncated: .zero) {
                        act(step)
                    }
                case 8:
                    if case .advanced(let step) = delivery.receivedAcknowledgement(delivery.sent) { act(step) }
                default:
                    if reading == nil { act(delivery.learnedHead(at(Int(stored)))) }
                }
            }
            for _ in 0..<200 where received.count < stored {
                if case .advanced(let step) = delivery.receivedAcknowledgement(delivery.sent) { act(step) }
                if reading == nil { act(delivery.learnedHead(at(Int(stored)))) }
                guard let after = reading else { continue }
                reading = nil
                for position in (after.rawValue + 1)...stored
                where delivery.eventsInFlight < 8 && delivery.receivedPageEvent(at(Int(position)), cost: 10) {
                    received.append(position)
                }
                if case .step(let step) = delivery.receivedPageEnd(head: at(Int(stored)), truncated: .zero) {
                    act(step)
                }
            }
            #expect(received == Array(stride(from: 1, through: stored, by: 1)))
        }
    }

    private func at(_ position: Int) -> InboxSequence { InboxSequence(rawValue: UInt64(position)) }

    private func caughtUp(_ position: Int) -> InboxDelivery {
        var delivery = InboxDelivery(from: at(position), head: at(position), windowEvents: 4, windowBytes: 100)
        _ = delivery.nextStep()
        return delivery
    }
}
