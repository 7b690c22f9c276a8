import BatonCore
import NIOCore
import Testing

@testable import BatonRedis

@Suite("The state machines of a connection")
struct MachineTests {
    private static func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .milliseconds(milliseconds) }

    @Test("Commands are answered in their order, and one timer serves them all")
    func pipeline() {
        var machine = RedisHandler.StateMachine(maximumCount: 10, maximumCost: 1_000)
        var answered: [Int] = []
        let completion = { (number: Int) in { (_: Result<RedisValue, RedisError>) in answered.append(number) } }
        #expect(machine.sent([completion(1)], cost: 10, deadline: Self.at(100)) == .writeAndArm)
        #expect(machine.sent([completion(2), completion(3)], cost: 10, deadline: Self.at(150)) == .write)
        machine.receivedReply()?(.success(.null))
        #expect(machine.deadlineCame(now: Self.at(100)) == .arm(Self.at(150)))
        machine.receivedReply()?(.success(.null))
        machine.receivedReply()?(.success(.null))
        #expect(answered == [1, 2, 3])
        #expect(machine.receivedReply() == nil)
        #expect(machine.deadlineCame(now: Self.at(150)) == .nothing)
        #expect(machine.sent([completion(4)], cost: 10, deadline: Self.at(300)) == .writeAndArm)
        #expect(machine.deadlineCame(now: Self.at(300)) == .close)
        #expect(machine.closed().count == 1)
        #expect(machine.sent([completion(5)], cost: 1, deadline: Self.at(400)) == .refuse(.connectionLost))
    }

    @Test("As many commands and bytes may wait as the limits say, and not one more")
    func bounds() {
        let ignored = { (_: Result<RedisValue, RedisError>) in }
        var count = RedisHandler.StateMachine(maximumCount: 2, maximumCost: 1_000)
        #expect(count.sent([ignored, ignored, ignored], cost: 1, deadline: Self.at(1)) == .refuse(.overloaded))
        #expect(count.sent([ignored, ignored], cost: 1, deadline: Self.at(1)) == .writeAndArm)
        #expect(count.sent([ignored], cost: 1, deadline: Self.at(1)) == .refuse(.overloaded))
        _ = count.receivedReply()
        #expect(count.sent([ignored], cost: 1, deadline: Self.at(1)) == .write)

        var cost = RedisHandler.StateMachine(maximumCount: 100, maximumCost: 10)
        #expect(cost.sent([ignored], cost: 11, deadline: Self.at(1)) == .refuse(.overloaded))
        #expect(cost.sent([ignored], cost: 10, deadline: Self.at(1)) == .writeAndArm)
        #expect(cost.sent([ignored], cost: 1, deadline: Self.at(1)) == .refuse(.overloaded))
        _ = cost.receivedReply()
        #expect(cost.sent([ignored], cost: 1, deadline: Self.at(1)) == .write)
    }

    @Test("A bucket gives no more than was asked for, and lets nobody wait longer than its debts, whatever Redis says")
    func tokensBeyondAllBounds() {
        let bucket = RateLimitBucket(who: "u", what: "messages", capacity: 16, secondsPerToken: 1)
        let script = TakeTokens(draw: .init(spent: 0, wanted: 16, least: 1), bucket: bucket)
        func outcome(_ count: Int64, _ wait: Int64) -> TakenTokens? {
            script.outcome(of: .array([.integer(count), .integer(wait)]))
        }
        #expect(outcome(16, 0) == TakenTokens(count: 16, waitMilliseconds: 0))
        for count: Int64 in [17, -1, .max, .min] { #expect(outcome(count, 0) == nil) }
        let longest = (16 * Int64(Limits.Sending.debts) + 1) * 1_000
        #expect(outcome(0, longest)?.waitMilliseconds == longest)
        #expect(outcome(0, .max)?.waitMilliseconds == longest)
        #expect(outcome(0, .min)?.waitMilliseconds == 0)
    }

    @Test("A link connects for ever, counts its attempts and starts counting anew once a connection has lasted")
    func link() {
        var machine = RedisLink.StateMachine()
        let steady = Limits.Redis.steadySeconds * 1_000
        #expect(machine.started() == true)
        #expect(machine.started() == false)
        #expect(machine.lost(now: Self.at(0)) == .retry(attempt: 0, wasReady: false))
        #expect(machine.lost(now: Self.at(0)) == .nothing)
        #expect(machine.backoffEnded() == true)
        #expect(machine.connected() == true)
        #expect(machine.lost(now: Self.at(0)) == .retry(attempt: 1, wasReady: false))
        // Let in and sent away, again and again.
        for attempts in 3...9 {
            #expect(machine.backoffEnded() == true)
            #expect(machine.connected() == true)
            #expect(machine.prepared(now: Self.at(0)) == attempts)
            #expect(machine.isReady == true)
            #expect(machine.lost(now: Self.at(steady - 1)) == .retry(attempt: attempts, wasReady: true))
            #expect(machine.isReady == false)
        }
        #expect(machine.backoffEnded() == true)
        #expect(machine.connected() == true)
        #expect(machine.prepared(now: Self.at(0)) == 10)
        #expect(machine.lost(now: Self.at(steady)) == .retry(attempt: 0, wasReady: true))
        #expect(machine.closed() == false)
        #expect(machine.backoffEnded() == false)
        #expect(machine.connected() == false)
        #expect(machine.prepared(now: Self.at(0)) == nil)
    }

    @Test("The backoff doubles, stays below its cap and is jittered")
    func backoff() {
        var generator = SeededGenerator(seed: 1)
        let backoff = Backoff(minimum: .milliseconds(100), maximum: .seconds(5))
        for attempt in [0, 1, 2, 5, 6, 30, 1_000, .max] {
            let whole: Int64 = attempt > 5 ? 5_000 : 100 << Int64(attempt)
            let delays = (0..<200).map { _ in backoff.delay(attempt: attempt, using: &generator) }
            #expect(delays.allSatisfy { $0 >= .milliseconds(whole / 2) && $0 <= .milliseconds(whole) })
            #expect(Set(delays).count > 100)
        }
    }

    @Test("A probe that is not heard in time, or that nobody was subscribed for, condemns the subscriber")
    func probe() {
        var probe = LivenessProbe(patience: .seconds(5))
        #expect(probe.tick(now: Self.at(0), isReady: false) == .nothing)
        #expect(probe.tick(now: Self.at(0), isReady: true) == .publish(1))
        #expect(probe.published(1, receivers: 1) == .nothing)
        #expect(probe.heard(7, now: Self.at(1)) == nil)
        #expect(probe.heard(1, now: Self.at(2)) == .milliseconds(2))
        #expect(probe.heard(1, now: Self.at(3)) == nil)
        #expect(probe.lastRoundTrip == .milliseconds(2))

        #expect(probe.tick(now: Self.at(5_000), isReady: true) == .publish(2))
        #expect(probe.tick(now: Self.at(9_999), isReady: true) == .nothing)
        #expect(probe.tick(now: Self.at(10_000), isReady: true) == .tearDown)
        #expect(probe.lastRoundTrip == nil)

        #expect(probe.tick(now: Self.at(15_000), isReady: true) == .publish(3))
        #expect(probe.published(3, receivers: 0) == .tearDown)

        // Redis did not take it: not the subscriber's fault.
        #expect(probe.tick(now: Self.at(20_000), isReady: true) == .publish(4))
        #expect(probe.published(4, receivers: nil) == .nothing)
        #expect(probe.tick(now: Self.at(25_000), isReady: true) == .publish(5))
        probe.reset()
        #expect(probe.published(5, receivers: 0) == .nothing)
    }

    @Test("While Redis is away a bucket holds its tokens, gives them back in time, and there are only so many")
    func localBuckets() {
        var buckets = LocalBuckets(capacity: 8)
        func bucket(_ who: Int) -> RateLimitBucket {
            RateLimitBucket(who: "\(who)", what: "login", capacity: 2, secondsPerToken: 1)
        }
        func taken(_ wanted: Int, least: Int? = nil, spent: Int = 0, of who: Int, at now: Double) -> TakenTokens {
            let draw = TokenAccount.Draw(spent: spent, wanted: wanted, least: least ?? wanted)
            return buckets.take(draw, from: bucket(who), nowMilliseconds: now)
        }
        func giveBack(_ tokens: Int, to who: Int) {
            _ = buckets.take(.givingBack(tokens), from: bucket(who), nowMilliseconds: 1_000)
        }
        #expect(taken(1, of: 0, at: 0).count == 1)
        #expect(taken(1, of: 0, at: 0).count == 1)
        #expect(taken(1, of: 0, at: 0) == TakenTokens(count: 0, waitMilliseconds: 1_000))
        #expect(taken(1, of: 0, at: 999) == TakenTokens(count: 0, waitMilliseconds: 1))
        #expect(taken(1, of: 0, at: 1_000).count == 1)
        giveBack(1, to: 0)
        #expect(taken(1, of: 0, at: 1_000).count == 1)
        giveBack(99, to: 0)
        #expect(taken(3, of: 0, at: 1_000).count == 0)
        giveBack(1, to: 1)
        #expect(buckets.count == 0)
        // A share is what there is; a debt is charged, and not more than the bucket holds.
        #expect(taken(5, least: 1, of: 1, at: 0).count == 2)
        let longest = Int64(2 * Limits.Sending.debts + 1) * 1_000
        #expect(taken(1, spent: 1_000, of: 1, at: 0) == TakenTokens(count: 0, waitMilliseconds: longest))
        #expect(taken(5, least: 1, of: 1, at: Double(longest)).count == 1)
        for who in 1..<100 {
            _ = taken(2, of: who, at: 1_000 + Double(who))
            #expect(buckets.count <= 8)
        }
        #expect(taken(1, of: 99, at: 1_100).count == 0)
        let large = RateLimitBucket(who: "x", what: "bytes", capacity: 1 << 40, secondsPerToken: 60 / 0x1p40)
        func all() -> TakenTokens {
            let draw = TokenAccount.Draw(spent: 0, wanted: 1 << 40, least: 1 << 40)
            return buckets.take(draw, from: large, nowMilliseconds: 1_100)
        }
        #expect(all().count == 1 << 40)
        #expect(all() == TakenTokens(count: 0, waitMilliseconds: 60_000))
        let endless = RateLimitBucket(who: "x", what: "y", capacity: 0, secondsPerToken: .infinity)
        let everything = TokenAccount.Draw(spent: .max, wanted: .max, least: .max)
        for _ in 0..<2 { #expect(buckets.take(everything, from: endless, nowMilliseconds: 2_000).count == 0) }
    }
}
