package import NIOCore

/// How long to wait before the next attempt to connect: doubling up to a cap, and never the same for two links, so
/// that the loops of many nodes do not come back to a restarted Redis at the same moment.
package struct Backoff: Hashable, Sendable {
    package let minimum: TimeAmount
    package let maximum: TimeAmount

    package init(minimum: TimeAmount, maximum: TimeAmount) {
        self.minimum = minimum
        self.maximum = maximum
    }

    /// From half to the whole of `minimum * 2^attempt`, or of the cap. The first attempt is number zero.
    func delay(attempt: Int, using generator: inout some RandomNumberGenerator) -> TimeAmount {
        let doublings = min(max(attempt, 0), 30)
        let (product, overflow) = minimum.nanoseconds.multipliedReportingOverflow(by: 1 << Int64(doublings))
        let whole = overflow ? maximum.nanoseconds : min(product, maximum.nanoseconds)
        return .nanoseconds(Int64.random(in: whole / 2...max(whole, whole / 2), using: &generator))
    }
}
