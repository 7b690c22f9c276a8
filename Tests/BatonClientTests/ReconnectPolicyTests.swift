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
        if case .retry(let after, false) = decision { after } else { nil }
    }

    @Test("The wait is random below a time that doubles up to the cap")
    func fullJitter() throws {
        var generator = SystemRandomNumberGenerator()
        var longest = [Duration](repeating: .zero, count: 12)
        for _ in 0..<200 {
            var policy = ReconnectPolicy()
            for attempt in 0..<12 {
                let wait = try #require(delay(policy.ended(.broken(""), using: &generator)))
                #expect(wait >= .zero && wait <= min(policy.cap, policy.base * (1 << attempt)))
                longest[attempt] = max(longest[attempt], wait)
            }
        }
        // Of 200 random waits one is in the upper half, or the jitter is not full.
        #expect(longest[11] > .seconds(15))
        #expect(longest[0] > .milliseconds(125))
    }

    @Test("A connection that lived ends the series of failures, one that did not does not")
    func stability() throws {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        for _ in 0..<10 { _ = policy.ended(.broken(""), lived: .milliseconds(100), using: &generator) }
        #expect(policy.failures == 10)
        _ = policy.ended(.broken(""), lived: .seconds(9), using: &generator)
        #expect(policy.failures == 11)
        let wait = try #require(delay(policy.ended(.broken(""), lived: .seconds(11), using: &generator)))
        #expect(wait <= policy.base)
    }

    @Test("Nodes that die one after the other, seconds apart, do not make the waits longer")
    func rollingFailures() throws {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        for _ in 0..<20 {
            let wait = try #require(delay(policy.ended(.broken(""), lived: .seconds(3), using: &generator)))
            #expect(wait <= policy.base)
        }
    }

    @Test("What the server asks for is honoured")
    func serversWishes() throws {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        let evacuated = RelayEnding.closed(.evacuated, reason: "")
        #expect(
            policy.ended(evacuated, goAway: .seconds(7), using: &generator)
                == .retry(
                    after: .seconds(7), refreshFirst: false))
        let refused = RelayEnding.refused(status: 503, Self.error(.overloaded, retryAfterMilliseconds: 4_000))
        #expect(try #require(delay(policy.ended(refused, using: &generator))) >= .seconds(4))
    }

    @Test("Close codes are obeyed", arguments: CloseCode.allCases)
    func closeCodes(code: CloseCode) {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        let decision = policy.ended(.closed(code, reason: ""), using: &generator)
        if case .retry = decision { #expect(code.shouldReconnect) } else { #expect(!code.shouldReconnect) }
    }

    @Test("A token that is refused is refreshed once; a fresh one that is refused ends the login")
    func tokens() {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        let refused = RelayEnding.refused(status: 401, Self.error(.unauthenticated))
        #expect(policy.ended(refused, using: &generator) == .retry(after: .zero, refreshFirst: true))
        #expect(policy.ended(refused, using: &generator) == .stop(.loggedOut))
        policy.welcomed()
        #expect(policy.ended(refused, using: &generator) == .retry(after: .zero, refreshFirst: true))
    }

    @Test("A fresh token that is said to have run out is a clock's mistake: other nodes are tried, ever more rarely")
    func wrongClocks() {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        let refused = RelayEnding.refused(status: 401, Self.error(.tokenExpired))
        for round in 1...3 {
            #expect(policy.ended(refused, using: &generator) == .retry(after: .zero, refreshFirst: true))
            #expect(delay(policy.ended(refused, using: &generator)) != nil)
            #expect(policy.failures == round)
        }
    }

    @Test("Refusals for good and an end that was wished for are no reason to try again")
    func stops() {
        var generator = SystemRandomNumberGenerator()
        var policy = ReconnectPolicy()
        let forbidden = Self.error(.forbidden)
        #expect(policy.ended(.refused(status: 403, forbidden), using: &generator) == .stop(.refused(forbidden)))
        #expect(
            policy.ended(.refused(status: 401, Self.error(.deviceRevoked)), using: &generator) == .stop(.loggedOut))
        #expect(policy.ended(.closedByClient, using: &generator) == .stop(.requested))
        // The device gave way to a new login: told by the WebSocket, by REST, and by a refresh.
        let replaced = Self.error(.deviceReplaced)
        #expect(policy.ended(.closed(.replaced, reason: ""), using: &generator) == .stop(.replaced))
        #expect(policy.ended(.refused(status: 401, replaced), using: &generator) == .stop(.replaced))
        #expect(replaced.sessionEnd == .replaced && Self.error(.deviceRevoked).sessionEnd == .loggedOut)
    }
}
