import BatonCore
import BatonLoad
import NIOCore
import NIOEmbedded
import Synchronization

/// What everything in a simulation shares: one event loop with virtual time, randomness from a seed, the trace.
///
/// One thread, one loop: what happens next is a function of the seed alone.
final class SimulatedWorld {
    let eventLoop = EmbeddedEventLoop()
    let trace: SimulationTrace
    /// For whatever the simulation decides.
    var random: SeededGenerator
    /// For whatever the relay itself decides.
    let relayRandom: RandomSource

    /// The schedule is over: nothing begins any more.
    var isOver = false
    /// Microseconds that bytes take between a client and a node.
    var network: ClosedRange<Int64> = 50...2_000

    private let seed: UInt64
    private var events = 0
    private static let maximumEvents = 5_000_000

    /// Where civil time stands when a simulation begins.
    static let epoch = Timestamp(milliseconds: 1_800_000_000_000)

    init(seed: UInt64, isTraced: Bool) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        let relay = SharedGenerator(random.fork(1))
        relayRandom = RandomSource { relay.next() }
        trace = SimulationTrace(isOn: isTraced)
    }

    /// Nanoseconds since the beginning.
    var now: Int64 { Int64(clamping: eventLoop.now.uptimeNanoseconds) }

    /// The clients' clock.
    var elapsed: Duration { .nanoseconds(now) }

    func after(_ delay: TimeAmount, _ body: @escaping () -> Void) {
        count()
        _ = eventLoop.scheduleTask(in: delay) { body() }
    }

    func at(_ deadline: NIODeadline, _ body: @escaping () -> Void) {
        count()
        _ = eventLoop.scheduleTask(deadline: deadline) { body() }
    }

    /// A schedule that makes no end of events would hang whoever waits for it.
    private func count() {
        events += 1
        precondition(events < Self.maximumEvents, "seed \(seed) makes no end of events")
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

/// A generator that closures share.
private final class SharedGenerator: Sendable {
    private let generator: Mutex<SeededGenerator>

    init(_ generator: SeededGenerator) { self.generator = Mutex(generator) }

    func next() -> UInt64 { generator.withLock { $0.next() } }
}

/// Civil time as one node sees it: the world's, and how far its clock is off.
final class SimulatedClock: CivilClock {
    private let eventLoop: EmbeddedEventLoop
    private let offset = Mutex<Int64>(0)

    init(_ world: SimulatedWorld) { eventLoop = world.eventLoop }

    var now: Timestamp {
        let milliseconds = Int64(clamping: eventLoop.now.uptimeNanoseconds / 1_000_000)
        return SimulatedWorld.epoch.advanced(byMilliseconds: milliseconds + offset.withLock { $0 })
    }

    /// The clock is wrong by so much from now on.
    func set(offMilliseconds milliseconds: Int64) { offset.withLock { $0 = milliseconds } }
}

@available(*, unavailable) extension SimulatedWorld: Sendable {}
