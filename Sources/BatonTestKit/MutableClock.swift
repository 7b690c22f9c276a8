package import BatonCore
import Synchronization

/// Civil time that stands still until a test moves it.
package final class MutableClock: CivilClock {
    private let time: Mutex<Timestamp>

    /// 2026-01-01T00:00:00Z, unless said otherwise.
    package init(_ start: Timestamp = Timestamp(milliseconds: 1_767_225_600_000)) {
        time = Mutex(start)
    }

    package var now: Timestamp { time.withLock { $0 } }

    package func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        time.withLock { $0 = $0.advanced(byMilliseconds: milliseconds) }
    }
}
