import NIOCore

/// Tells whether the subscriber connection really receives, by way of publishing to it.
///
/// A subscription can die silently: a proxy or a kernel that keeps the socket open, a failover that forgot it. The
/// connection then looks healthy for ever. So each loop publishes a numbered probe as it publishes everything else,
/// and expects to hear it.
struct LivenessProbe: ~Copyable {
    enum Action: Equatable {
        case nothing
        case publish(UInt64)
        case tearDown
    }

    let patience: TimeAmount
    private var number: UInt64 = 0
    private var sentAt: NIODeadline?
    private(set) var lastRoundTrip: TimeAmount?

    init(patience: TimeAmount) {
        self.patience = patience
    }

    /// - Parameter isReady: whether both connections are up, so that a probe can be expected to come through.
    mutating func tick(now: NIODeadline, isReady: Bool) -> Action {
        guard isReady else {
            sentAt = nil
            return .nothing
        }
        if let sentAt {
            guard now - sentAt >= patience else { return .nothing }
            self.sentAt = nil
            lastRoundTrip = nil
            return .tearDown
        }
        number += 1
        sentAt = now
        return .publish(number)
    }

    /// - Returns: how long it took, nil for a probe that is not waited for.
    mutating func heard(_ heard: UInt64, now: NIODeadline) -> TimeAmount? {
        guard let sentAt, heard == number else { return nil }
        self.sentAt = nil
        lastRoundTrip = now - sentAt
        return lastRoundTrip
    }

    /// Redis took the probe for so many subscribers; nil where it did not take it, which is not the subscriber's fault.
    mutating func published(_ published: UInt64, receivers: Int?) -> Action {
        guard sentAt != nil, published == number else { return .nothing }
        switch receivers {
        case nil:
            sentAt = nil
            return .nothing
        case 0:
            sentAt = nil
            lastRoundTrip = nil
            return .tearDown
        default:
            return .nothing
        }
    }

    /// The subscriber connection is another one now.
    mutating func reset() {
        sentAt = nil
        lastRoundTrip = nil
    }
}
