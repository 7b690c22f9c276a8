import CoreMetrics
import Synchronization

/// One counter with one label set. An increment is one atomic addition.
final class CounterSeries: CounterHandler {
    private let count = Atomic<Int64>(0)

    var value: Int64 { count.load(ordering: .relaxed) }

    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }

    func reset() { count.store(0, ordering: .relaxed) }
}

/// A number that goes up and down, or a counter of fractions: the bits of a `Double`, exchanged atomically.
final class GaugeSeries: MeterHandler, RecorderHandler, FloatingPointCounterHandler {
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }

    func increment(by amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, current) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = current
        }
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    func reset() { set(0.0) }
}

/// A histogram with fixed buckets: recording is a search among a few bounds and two atomic additions, without a lock
/// or an allocation.
final class HistogramSeries: TimerHandler, RecorderHandler {
    static let maximumBuckets = 24

    /// Upper bounds, ascending.
    let bounds: [Int]
    /// One count a bucket; the one after the last bound counts what is above it.
    private let counts = InlineArray<25, Atomic<Int>> { _ in Atomic(0) }
    private let total = Atomic<Int>(0)

    /// Bounds beyond `maximumBuckets` are left out.
    init(bounds: [Int]) {
        self.bounds = Array(bounds.prefix(Self.maximumBuckets))
    }

    /// What was recorded. Recording goes on meanwhile, so the sum may be a little ahead of the counts.
    struct Snapshot {
        /// For each bound, then for infinity: how many values were not above it.
        var cumulative: [Int]
        var sum: Int

        var count: Int { cumulative.last ?? 0 }
    }

    func snapshot() -> Snapshot {
        var cumulative: [Int] = []
        var running = 0
        for index in 0...bounds.count {
            running += counts[index].load(ordering: .relaxed)
            cumulative.append(running)
        }
        return Snapshot(cumulative: cumulative, sum: total.load(ordering: .relaxed))
    }

    func record(_ value: Int64) {
        let value = Int(value)
        var index = 0
        while index < bounds.count, bounds[index] < value { index += 1 }
        counts[index].wrappingAdd(1, ordering: .relaxed)
        total.wrappingAdd(value, ordering: .relaxed)
    }

    func record(_ value: Double) { record(Int64(clamping: value)) }

    func recordNanoseconds(_ duration: Int64) { record(duration) }
}

extension Int64 {
    /// The nearest whole number; zero for what is none.
    fileprivate init(clamping value: Double) {
        if value.isNaN {
            self = 0
        } else {
            self = Int64(exactly: value.rounded()) ?? (value < 0 ? .min : .max)
        }
    }
}
