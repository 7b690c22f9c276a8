import BatonProtocol

/// Decides whether, and when, a client connects again.
///
/// Full jitter: a random part of a time that doubles with each failure, so that clients that lost their node at the
/// same moment do not come back at the same moment.
package struct ReconnectPolicy {
    /// What an ended connection, or a failed attempt, leads to.
    package enum Decision: Equatable {
        case retry(after: Duration, refreshFirst: Bool)
        case stop(OfflineReason)
    }

    let base: Duration
    let cap: Duration
    /// A connection that lived as long as this ends the series of failures, and so does one that lived longer than the
    /// longest wait that is next: who loses one node after the other comes back at once each time, who loses each
    /// connection at once comes ever more rarely.
    let stableAfter: Duration

    /// Failures in a row.
    private(set) var failures = 0
    /// The tokens are fresh and were refused nevertheless.
    private var refreshed = false

    package init(
        base: Duration = .milliseconds(250), cap: Duration = .seconds(30), stableAfter: Duration = .seconds(10)
    ) {
        self.base = base
        self.cap = cap
        self.stableAfter = stableAfter
    }

    /// The server greeted: the tokens are good.
    package mutating func welcomed() { refreshed = false }

    /// An attempt failed or a connection ended, `lived` after it was greeted.
    ///
    /// - Parameter goAway: what the server's `goAway` asked for, if one came.
    package mutating func ended(
        _ ending: RelayEnding, lived: Duration = .zero, goAway: Duration? = nil,
        using generator: inout some RandomNumberGenerator
    ) -> Decision {
        if lived >= min(stableAfter, ceiling) { failures = 0 }
        switch ending {
        case .closedByClient: return .stop(.requested)
        case .closed(.displaced, _): return .stop(.displaced)
        case .closed(.revoked, _): return .stop(.loggedOut)
        case .closed(.replaced, _): return .stop(.replaced)
        case .closed(let code?, let reason) where !code.shouldReconnect:
            return .stop(.closed(code: code.rawValue, reason: reason))
        case .refused(_, let error) where error.isOfRevokedDevice: return .stop(error.sessionEnd)
        case .refused(401, let error): return refresh(error, using: &generator)
        case .refused(_, let error) where !error.isRetryable: return .stop(.refused(error))
        case .refused(_, let error):
            return .retry(after: error.retryAfter + backoff(using: &generator), refreshFirst: false)
        case .closed, .broken, .unreachable:
            if let goAway { return .retry(after: min(goAway, cap), refreshFirst: false) }
            return .retry(after: backoff(using: &generator), refreshFirst: false)
        }
    }

    /// The token was refused. Once a fresh one is tried at once; when that is refused, the login is over, unless it is
    /// said to have run out: then the clock of that node is wrong, or of the one that made it. Others may be right.
    private mutating func refresh(
        _ error: RelayError, using generator: inout some RandomNumberGenerator
    ) -> Decision {
        guard refreshed else {
            refreshed = true
            return .retry(after: .zero, refreshFirst: true)
        }
        guard error.code == .tokenExpired else { return .stop(error.sessionEnd) }
        refreshed = false
        return .retry(after: backoff(using: &generator), refreshFirst: false)
    }

    /// A random time up to `base` doubled for each failure, and never more than `cap`.
    private mutating func backoff(using generator: inout some RandomNumberGenerator) -> Duration {
        let longest = ceiling
        failures = min(failures + 1, 64)
        return longest * Double.random(in: 0...1, using: &generator)
    }

    private var ceiling: Duration { min(cap, base * (1 << min(failures, 16))) }
}
