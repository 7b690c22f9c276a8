import BatonCore
import BatonProtocol

/// Decides whether, and when, a client connects again.
///
/// Full jitter: a random part of a time that doubles with each failure, so that clients that lost their node at the
/// same moment do not come back at the same moment. It grows to a few seconds while the trouble is young, so that
/// people do not wait long after it, and then to the cap. Nodes bound how many they admit a second.
package struct ReconnectPolicy {
    /// What an ended connection, or a failed attempt, leads to.
    package enum Decision: Equatable {
        case retry(Wait)
        case stop(OfflineReason)
    }

    /// The time until the next attempt.
    package struct Wait: Equatable {
        package let delay: Duration
        /// The part of it that is not shortened when the user acts: the server asked for it, or it keeps two clients
        /// of one device from taking turns.
        package let atLeast: Duration
        /// The access token is to be exchanged first.
        package let refreshFirst: Bool

        package init(_ delay: Duration, atLeast: Duration = .zero, refreshFirst: Bool = false) {
            self.delay = delay
            self.atLeast = atLeast
            self.refreshFirst = refreshFirst
        }
    }

    let base: Duration
    let cap: Duration
    let earlyCap: Duration
    /// A connection that lived as long as this ends the series of failures, and so does one that lived longer than the
    /// longest wait that is next: who loses one node after the other comes back at once each time, who loses each
    /// connection at once comes ever more rarely.
    let stableAfter: Duration

    private static let earlyTime = Duration.seconds(Limits.Reconnect.earlySeconds)
    private static let promptedTime = Duration.seconds(Limits.Reconnect.promptedSeconds)
    private static let displacedWait = Duration.seconds(Limits.Reconnect.displacedWaitSeconds)
    private static let displacedAgain = Duration.seconds(Limits.Reconnect.displacedAgainSeconds)

    /// Failures in a row.
    private(set) var failures = 0
    /// When the first of them was.
    private var troubleSince: Duration?
    /// The tokens were exchanged since a server greeted.
    private var isRefreshed = false
    /// The tokens were refused, and are to be exchanged before they are used again.
    private var isRefreshDue = false
    /// When the connection was displaced last.
    private var displacedAt: Duration?
    /// Before this time no attempt is made because the user acts.
    private var promptedNext: Duration?

    package init(
        base: Duration = .milliseconds(Limits.Reconnect.firstWaitMilliseconds),
        cap: Duration = .seconds(Limits.Reconnect.longestWaitSeconds),
        earlyCap: Duration = .seconds(Limits.Reconnect.earlyWaitSeconds),
        stableAfter: Duration = .seconds(Limits.Reconnect.stableSeconds)
    ) {
        self.base = base
        self.cap = cap
        self.earlyCap = min(cap, earlyCap)
        self.stableAfter = stableAfter
    }

    /// The server greeted: the tokens are good.
    package mutating func welcomed() {
        isRefreshed = false
        isRefreshDue = false
    }

    /// The tokens were exchanged for fresh ones.
    package mutating func tokensRefreshed() {
        if isRefreshDue { isRefreshed = true }
        isRefreshDue = false
    }

    /// The application asks for a connection. An earlier displacement no longer keeps the client away.
    package mutating func requested() { displacedAt = nil }

    /// The network changed. Failures on the earlier network no longer count.
    package mutating func networkChanged() { troubleEnded() }

    /// An attempt failed or a connection ended, `lived` after it was greeted.
    ///
    /// - Parameters:
    ///   - now: counted from any fixed moment.
    ///   - goAway: what the server's `goAway` asked for, if one came.
    ///   - isReplaced: another client of this process is to be connected as the same device.
    package mutating func ended(
        _ ending: RelayEnding, at now: Duration, lived: Duration = .zero, goAway: Duration? = nil,
        isReplaced: Bool = false, using generator: inout some RandomNumberGenerator
    ) -> Decision {
        if lived >= min(stableAfter, ceiling(at: now)) { troubleEnded() }
        troubleSince = troubleSince ?? now
        switch ending {
        case .closedByClient: return .stop(.requested)
        case .closed(.displaced, _): return displaced(at: now, isReplaced: isReplaced, using: &generator)
        case .closed(.revoked, _): return .stop(.loggedOut)
        case .closed(.replaced, _): return .stop(.replaced)
        case .closed(let code?, let reason) where !code.shouldReconnect:
            return .stop(.closed(code: code.rawValue, reason: reason))
        case .refused(_, let error) where error.isOfRevokedDevice: return .stop(error.sessionEnd)
        case .refused(401, let error): return refresh(error, at: now, using: &generator)
        case .refused(_, let error) where !error.isRetryable: return .stop(.refused(error))
        case .refused(_, let error):
            // Whatever a server asks for, or a proxy's maintenance page: the next one may be well.
            let least = min(error.retryAfter, cap)
            return retry(after: least + backoff(at: now, using: &generator), atLeast: least)
        case .closed, .broken, .unreachable:
            guard let goAway else { return retry(after: backoff(at: now, using: &generator)) }
            let wait = min(goAway, cap)
            return retry(after: wait, atLeast: wait)
        }
    }

    /// When an attempt may be made because the user acts at this moment.
    package func prompted(at now: Duration) -> Duration { max(now, promptedNext ?? now) }

    /// An attempt is made at that moment because the user acts.
    package mutating func promptedAttempt(at moment: Duration) { promptedNext = moment + Self.promptedTime }

    private mutating func troubleEnded() {
        failures = 0
        troubleSince = nil
    }

    /// A newer connection of the device took over. It may be the device's own, told of late: so the client comes back
    /// once. Where another program is the same device, that one comes back once, too; who is displaced a second time
    /// stays away, and the other one stays connected.
    private mutating func displaced(
        at now: Duration, isReplaced: Bool, using generator: inout some RandomNumberGenerator
    ) -> Decision {
        let isAgain = displacedAt.map { now - $0 < Self.displacedAgain } ?? false
        displacedAt = now
        guard !isAgain, !isReplaced else { return .stop(.displaced) }
        let wait = Self.displacedWait * Double.random(in: 0.5...1.5, using: &generator)
        return retry(after: wait, atLeast: wait)
    }

    /// The token was refused. Once a fresh one is tried at once; when that is refused, the login is over, unless it is
    /// said to have run out: then the clock of that node is wrong, or of the one that made it. Others may be right.
    private mutating func refresh(
        _ error: RelayError, at now: Duration, using generator: inout some RandomNumberGenerator
    ) -> Decision {
        guard isRefreshed else {
            // Where an exchange is due and did not come about, it is not tried without a pause.
            let wait = isRefreshDue ? backoff(at: now, using: &generator) : .zero
            isRefreshDue = true
            return retry(after: wait)
        }
        guard error.code == .tokenExpired else { return .stop(error.sessionEnd) }
        isRefreshed = false
        return retry(after: backoff(at: now, using: &generator))
    }

    private func retry(after delay: Duration, atLeast: Duration = .zero) -> Decision {
        .retry(Wait(delay, atLeast: atLeast, refreshFirst: isRefreshDue))
    }

    /// A random time up to `base` doubled for each failure, and never more than the cap.
    private mutating func backoff(
        at now: Duration, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        let longest = ceiling(at: now)
        failures = min(failures + 1, 64)
        return longest * Double.random(in: 0...1, using: &generator)
    }

    private func ceiling(at now: Duration) -> Duration {
        let isEarly = troubleSince.map { now - $0 < Self.earlyTime } ?? true
        return min(isEarly ? earlyCap : cap, base * (1 << min(failures, 16)))
    }
}
