/// Tells whether its process stood still a moment ago: it was stopped, or its machine was. What it reads from its sockets
/// then may have lain there meanwhile, and its client may have given it up and gone on elsewhere.
public struct Standstill: Hashable, Sendable {
    private var lastTick: Int64?
    private var endedAt: Int64?

    public init() {}

    /// A second has passed, as far as the process knows.
    ///
    /// - Parameter now: monotonic milliseconds.
    public mutating func ticked(at now: Int64) {
        if lasts(at: now) { endedAt = now }
        lastTick = now
    }

    /// Whether it lasts until now, since a tick is missing, or ended just before.
    public func isRecent(at now: Int64) -> Bool {
        lasts(at: now) || endedAt.map { now - $0 < Self.boundMilliseconds } ?? false
    }

    private static let boundMilliseconds = Limits.Node.standstillSeconds * 1_000

    private func lasts(at now: Int64) -> Bool { lastTick.map { now - $0 >= Self.boundMilliseconds } ?? false }
}
