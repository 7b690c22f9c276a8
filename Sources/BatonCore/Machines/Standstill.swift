/// Detects that the process stood still a moment ago, because it or its machine was stopped.
///
/// Bytes that it then reads from a socket may be old: the client may have connected to another node meanwhile.
public struct Standstill: Hashable, Sendable {
    private var lastTick: Int64?
    private var endedAt: Int64?

    public init() {}

    /// Call it once a second.
    ///
    /// - Parameter now: monotonic milliseconds.
    public mutating func ticked(at now: Int64) {
        if lasts(at: now) { endedAt = now }
        lastTick = now
    }

    /// True if ticks are missing until now, or a standstill ended less than `Limits.Node.standstillSeconds` ago.
    public func isRecent(at now: Int64) -> Bool {
        lasts(at: now) || endedAt.map { now - $0 < Self.boundMilliseconds } ?? false
    }

    private static let boundMilliseconds = Limits.Node.standstillSeconds * 1_000

    private func lasts(at now: Int64) -> Bool { lastTick.map { now - $0 >= Self.boundMilliseconds } ?? false }
}
