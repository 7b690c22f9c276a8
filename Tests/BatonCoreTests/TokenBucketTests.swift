import BatonCore
import Testing

@Suite struct TokenBucketTests {
    @Test("So many at once, and then one whenever one came back")
    func takes() {
        var bucket = TokenBucket(capacity: 3, perSecond: 10)
        for _ in 0..<3 { #expect(bucket.take(at: 1_000) == nil) }
        #expect(bucket.take(at: 1_000) == 100)
        #expect(bucket.take(at: 1_050) == 50)
        #expect(bucket.take(at: 1_100) == nil)
        #expect(bucket.take(at: 1_100) == 100)
    }

    @Test("After a long rest there are as many as it holds, not more")
    func capacity() {
        var bucket = TokenBucket(capacity: 2, perSecond: 1_000)
        #expect(bucket.take(at: 0) == nil)
        #expect(bucket.take(at: 1_000_000) == nil)
        #expect(bucket.take(at: 1_000_000) == nil)
        #expect(bucket.take(at: 1_000_000) == 1)
    }

    @Test("What is given back can be taken again, and fills no bucket beyond what it holds")
    func givesBack() {
        var bucket = TokenBucket(capacity: 2, perSecond: 0.001)
        _ = bucket.draw(.givingBack(1), atMilliseconds: 0)
        for _ in 0..<2 { #expect(bucket.take(at: 0) == nil) }
        #expect(bucket.take(at: 0) != nil)
        _ = bucket.draw(.givingBack(1), atMilliseconds: 0)
        #expect(bucket.take(at: 0) == nil)
        #expect(bucket.take(at: 0) != nil)
    }

    @Test("A clock that goes back gives nothing, now and when it is right again")
    func clockGoesBack() {
        var bucket = TokenBucket(capacity: 1, perSecond: 1)
        #expect(bucket.take(at: 10_000) == nil)
        #expect(bucket.take(at: 0) == 1_000)
        #expect(bucket.take(at: 10_000) == 1_000)
        #expect(bucket.take(at: 11_000) == nil)
    }

    @Test("A bucket that never fills again says so and does not trap")
    func neverFills() {
        var bucket = TokenBucket(capacity: 1, perSecond: 0)
        #expect(bucket.take(at: 0) == nil)
        #expect(bucket.take(at: 1) == .max)
        var slow = TokenBucket(capacity: 0, perSecond: 1e-300)
        #expect(slow.take(at: 0) == .max)
    }
}
