import BatonCore
import BatonHistory
import NIOCore
import Synchronization

/// What everything in a simulation shares: virtual time, randomness from a seed, the trace.
///
/// One thread, one order of events: what happens next is a function of the seed alone.
final class SimulatedWorld {
    let time: SimulatedTime
    /// Of all that is no node's own.
    let eventLoop: SimulatedEventLoop
    let trace: SimulationTrace
    /// For whatever the simulation decides.
    var random: SeededGenerator
    /// For whatever the relay itself decides.
    let relayRandom: RandomSource

    /// The schedule is over: nothing begins any more.
    var isOver = false
    /// Microseconds that bytes take between a client and a node.
    var network: ClosedRange<Int64> = 50...2_000

    /// Where civil time stands when a simulation begins.
    static let epoch = Timestamp(milliseconds: 1_800_000_000_000)

    init(seed: UInt64, trace: SimulationTrace, steps: Int) {
        time = SimulatedTime(steps: steps)
        eventLoop = SimulatedEventLoop(time)
        random = SeededGenerator(seed: seed)
        relayRandom = RandomSource(random.fork(1))
        self.trace = trace
    }

    /// Nanoseconds since the beginning.
    var now: Int64 { Int64(clamping: time.now.uptimeNanoseconds) }

    /// The clients' clock.
    var elapsed: Duration { .nanoseconds(now) }

    func after(_ delay: TimeAmount, _ body: @escaping () -> Void) { at(time.now + delay, body) }

    func at(_ deadline: NIODeadline, _ body: @escaping () -> Void) {
        let bound = NIOLoopBound(body, eventLoop: eventLoop)
        time.add(at: deadline, on: eventLoop) { bound.value() }
    }

    func microseconds(_ range: ClosedRange<Int64>) -> TimeAmount {
        .microseconds(Int64.random(in: range, using: &random))
    }

    func happens(_ probability: Double) -> Bool {
        probability > 0 && Double.random(in: 0..<1, using: &random) < probability
    }

    /// One more line of the trace; the text is made only where there is one.
    func note(_ who: @autoclosure () -> String, _ what: @autoclosure () -> String) {
        guard trace.isOn else { return }
        trace.append(now, who(), what())
    }
}

/// Civil time as one node sees it: the world's, and how far its clock is off.
final class SimulatedClock: CivilClock {
    private let time: SimulatedTime
    private let offset = Mutex<Int64>(0)

    init(_ world: SimulatedWorld) { time = world.time }

    var now: Timestamp {
        let milliseconds = Int64(clamping: time.now.uptimeNanoseconds / 1_000_000)
        return SimulatedWorld.epoch.advanced(byMilliseconds: milliseconds + offset.withLock { $0 })
    }

    /// The clock is wrong by so much from now on.
    func set(offMilliseconds milliseconds: Int64) { offset.withLock { $0 = milliseconds } }
}

@available(*, unavailable) extension SimulatedWorld: Sendable {}
