import BatonProtocol
import Testing

@testable import BatonClient

@Suite("Connecting again")
struct ReconnectPolicyTests {
    private static func error(_ code: ErrorCode, retryAfterMilliseconds: UInt32 = 0) -> RelayError {
        RelayError(WireError(code, "", retryAfterMilliseconds: retryAfterMilliseconds))
    }

    /// The wait of a decision, which must be a retry.
    private func delay(_ decision: ReconnectPolicy.Decision) -> Duration? {
        if case .retry(let wait) = decision, !wait.refreshFirst { wait.delay } else { nil }
    }

    @Test(
        "The wait is random below a time that doubles up to a cap, which is short while the trouble is young",
        arguments: [
            (Duration.zero, Duration.seconds(5)), (.milliseconds(119_999), .seconds(5)), (.seconds(120), .seconds(30)),
        ])
    func fullJitter(age: Duration, cap: Duration) throws {
        var generator = SystemRandomNumberGenerator()
        var longest = [Duration](repeating: .zero, count: 12)
        for _ in 0..<200 {
            var policy = ReconnectPolicy()
            for attempt in 0..<12 {
                let now = attempt == 0 ? .zero : age
                let wait = try #require(delay(policy.ended(.broken(""), at: now, using: &generator)))
                #expect(wait >= .zero && wait <= min(cap, policy.base * (1 << attempt)))
                longest[attempt] = max(longest[attempt], wait)
            }
        }
        // Of 200 random waits one is in the upper half, or the jitter is not full.
        #expect(longest[11] > cap / 2)
        #expect(longest[0] > .milliseconds(125))
    }

    @Test("A cap that is shorter than the early one holds always")
    func shortCap() throws {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy(cap: .seconds(1))
        for attempt in 0..<200 {
            let wait = try #require(delay(policy.ended(.broken(""), at: .seconds(attempt), using: &generator)))
            #expect(wait <= .seconds(1))
        }
    }

    @Test("A connection that lived ends the series of failures, one that did not does not")
    func stability() throws {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        for _ in 0..<10 { _ = policy.ended(.broken(""), at: .zero, lived: .milliseconds(100), using: &generator) }
        #expect(policy.failures == 10)
        // When the trouble is old, the longest wait is above these 9 s.
        let late = Duration.seconds(200)
        _ = policy.ended(.broken(""), at: late, lived: .seconds(9), using: &generator)
        #expect(policy.failures == 11)
        let wait = try #require(delay(policy.ended(.broken(""), at: late, lived: .seconds(11), using: &generator)))
        #expect(wait <= policy.base)
        // The trouble began anew.
        for _ in 0..<20 {
            let wait = try #require(delay(policy.ended(.broken(""), at: late + .seconds(100), using: &generator)))
            #expect(wait <= .seconds(5))
        }
    }

    @Test("After a change of the network the series of failures begins anew")
    func networkChange() throws {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        for _ in 0..<20 { _ = policy.ended(.broken(""), at: .zero, using: &generator) }
        policy.networkChanged()
        let wait = try #require(delay(policy.ended(.broken(""), at: .seconds(500), using: &generator)))
        #expect(wait <= policy.base)
    }

    @Test("Nodes that die one after the other, seconds apart, do not make the waits longer")
    func rollingFailures() throws {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        for number in 0..<20 {
            let ended = policy.ended(
                .broken(""), at: .seconds(3 * number), lived: .seconds(3), using: &generator)
            #expect(try #require(delay(ended)) <= policy.base)
        }
    }

    @Test("What the server asks for is honoured, also where the user acts")
    func serversWishes() throws {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        let evacuated = RelayEnding.closed(.evacuated, reason: "")
        #expect(
            policy.ended(evacuated, at: .zero, goAway: .seconds(7), using: &generator)
                == .retry(.init(.seconds(7), atLeast: .seconds(7))))
        let refused = RelayEnding.refused(status: 503, Self.error(.overloaded, retryAfterMilliseconds: 4_000))
        guard case .retry(let wait) = policy.ended(refused, at: .zero, using: &generator) else {
            return #expect(Bool(false))
        }
        #expect(wait.delay >= .seconds(4))
        #expect(wait.atLeast == .seconds(4))
    }

    @Test("When the user acts an attempt is made at once, and the next one 2 s later at the soonest")
    func prompted() {
        var policy = ReconnectPolicy()
        #expect(policy.prompted(at: .seconds(10)) == .seconds(10))
        policy.promptedAttempt(at: .seconds(10))
        #expect(policy.prompted(at: .milliseconds(11_999)) == .seconds(12))
        #expect(policy.prompted(at: .seconds(12)) == .seconds(12))
        #expect(policy.prompted(at: .seconds(50)) == .seconds(50))
    }

    @Test("Close codes are obeyed", arguments: CloseCode.allCases.filter { $0 != .displaced })
    func closeCodes(code: CloseCode) {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        let decision = policy.ended(.closed(code, reason: ""), at: .zero, using: &generator)
        if case .retry = decision { #expect(code.shouldReconnect) } else { #expect(!code.shouldReconnect) }
    }

    private static let displaced = RelayEnding.closed(.displaced, reason: "")

    @Test("A displaced client comes back once, after about a second, and stays away when it is displaced again soon")
    func displacedOnce() throws {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        guard case .retry(let wait) = policy.ended(Self.displaced, at: .zero, using: &generator) else {
            return #expect(Bool(false))
        }
        #expect((.milliseconds(500)...(.milliseconds(1_500))).contains(wait.delay))
        #expect(wait.atLeast == wait.delay)
        // However long the connection lived, and whatever else went wrong in between.
        _ = policy.ended(.broken(""), at: .seconds(20), lived: .seconds(15), using: &generator)
        let again = policy.ended(
            Self.displaced, at: .milliseconds(59_999), lived: .seconds(30), using: &generator)
        #expect(again == .stop(.displaced))
    }

    @Test("Who is displaced a minute later comes back once again")
    func displacedLater() {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        for minute in 0..<5 {
            let ended = policy.ended(Self.displaced, at: .seconds(60 * minute), using: &generator)
            #expect(delay(ended) != nil)
        }
    }

    @Test("Who is told to connect takes the device back, and comes back once again")
    func displacedAndTold() {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        _ = policy.ended(Self.displaced, at: .zero, using: &generator)
        #expect(policy.ended(Self.displaced, at: .seconds(2), using: &generator) == .stop(.displaced))
        policy.requested()
        #expect(delay(policy.ended(Self.displaced, at: .seconds(3), using: &generator)) != nil)
    }

    @Test("A client that another one of its process replaced stays away")
    func replaced() {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        let ended = policy.ended(Self.displaced, at: .zero, isReplaced: true, using: &generator)
        #expect(ended == .stop(.displaced))
    }

    @Test("A token that is refused is refreshed once; a fresh one that is refused ends the login")
    func tokens() {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        let refused = RelayEnding.refused(status: 401, Self.error(.unauthenticated))
        #expect(policy.ended(refused, at: .zero, using: &generator) == .retry(.init(.zero, refreshFirst: true)))
        policy.tokensRefreshed()
        #expect(policy.ended(refused, at: .zero, using: &generator) == .stop(.loggedOut))
        policy.welcomed()
        #expect(policy.ended(refused, at: .zero, using: &generator) == .retry(.init(.zero, refreshFirst: true)))
    }

    @Test("A refresh that fails for a moment ends no login: it stays due until it was done")
    func refreshStaysDue() throws {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        let refused = RelayEnding.refused(status: 401, Self.error(.unauthenticated))
        let away = RelayEnding.refused(status: 503, Self.error(.overloaded))
        #expect(policy.ended(refused, at: .zero, using: &generator) == .retry(.init(.zero, refreshFirst: true)))
        for ending in [RelayEnding.unreachable("x"), away, refused, .unreachable("x")] {
            guard case .retry(let wait) = policy.ended(ending, at: .zero, using: &generator) else {
                Issue.record("\(ending) ended the login")
                return
            }
            #expect(wait.refreshFirst)
        }
        policy.tokensRefreshed()
        guard case .retry(let wait) = policy.ended(away, at: .zero, using: &generator) else {
            Issue.record("no retry")
            return
        }
        #expect(!wait.refreshFirst)
        #expect(policy.ended(refused, at: .zero, using: &generator) == .stop(.loggedOut))
    }

    @Test("A server's wish to wait is granted up to the longest wait")
    func longestWish() {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        let page = RelayEnding.refused(status: 503, Self.error(.overloaded, retryAfterMilliseconds: .max))
        guard case .retry(let wait) = policy.ended(page, at: .zero, using: &generator) else {
            Issue.record("no retry")
            return
        }
        #expect(wait.atLeast == policy.cap && wait.delay <= policy.cap + policy.earlyCap)
    }

    @Test("A fresh token that is said to have run out is a clock's mistake: other nodes are tried, ever more rarely")
    func wrongClocks() {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        let refused = RelayEnding.refused(status: 401, Self.error(.tokenExpired))
        for round in 1...3 {
            #expect(policy.ended(refused, at: .zero, using: &generator) == .retry(.init(.zero, refreshFirst: true)))
            policy.tokensRefreshed()
            #expect(delay(policy.ended(refused, at: .zero, using: &generator)) != nil)
            #expect(policy.failures == round)
        }
    }

    @Test("Refusals for good and an end that was wished for are no reason to try again")
    func stops() {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        let forbidden = Self.error(.forbidden)
        #expect(
            policy.ended(.refused(status: 403, forbidden), at: .zero, using: &generator) == .stop(.refused(forbidden)))
        #expect(
            policy.ended(.refused(status: 401, Self.error(.deviceRevoked)), at: .zero, using: &generator)
                == .stop(.loggedOut))
        #expect(policy.ended(.closedByClient, at: .zero, using: &generator) == .stop(.requested))
        // The device gave way to a new login: told by the WebSocket, by REST, and by a refresh.
        let replaced = Self.error(.deviceReplaced)
        #expect(policy.ended(.closed(.replaced, reason: ""), at: .zero, using: &generator) == .stop(.replaced))
        #expect(policy.ended(.refused(status: 401, replaced), at: .zero, using: &generator) == .stop(.replaced))
        #expect(replaced.sessionEnd == .replaced && Self.error(.deviceRevoked).sessionEnd == .loggedOut)
    }
}
