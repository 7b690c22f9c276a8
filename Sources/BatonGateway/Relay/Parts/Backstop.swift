import BatonCore
import NIOCore

/// When the sweeps of an event loop are due. One is under way at a time.
///
/// It knows no users and asks nobody: `RelayLoop` makes the sweep. Used on the event loop of the `RelayLoop` that owns it.
struct Backstop {
    private(set) var next: NIODeadline
    /// Answers of the store that the sweep under way waits for.
    private var missing = 0
    private var began = NIODeadline.distantPast
    private var lastDuration = TimeAmount.zero
    private var sweeps = 0

    /// Blind sweeps are frequent. Of so many, one looks at presence, too.
    private static let blindSweepsPerPresence = 10

    init(next: NIODeadline) { self.next = next }

    /// - Parameter isBlind: nothing but a sweep finds what other nodes have stored.
    func isDue(_ now: NIODeadline, isBlind: Bool) -> Bool {
        guard missing == 0 else { return false }
        if now >= next { return true }
        let rest = max(.seconds(Limits.Node.blindBackstopSeconds), lastDuration * Limits.Node.blindBackstopRest)
        return isBlind && now >= began + rest
    }

    /// - Parameters:
    ///   - queries: how many answers of the store end this sweep.
    ///   - next: when the one after it is due.
    /// - Returns: whether to look at presence, too.
    mutating func begin(queries: Int, at now: NIODeadline, isBlind: Bool, next: NIODeadline) -> Bool {
        (missing, began, self.next) = (queries, now, next)
        sweeps += 1
        return !isBlind || sweeps.isMultiple(of: Self.blindSweepsPerPresence)
    }

    /// The next one is due as soon as none is under way.
    mutating func hurry(_ now: NIODeadline) { next = now }

    /// One of the answers is there.
    mutating func answered(at now: NIODeadline) {
        missing -= 1
        if missing == 0 { lastDuration = now - began }
    }
}
