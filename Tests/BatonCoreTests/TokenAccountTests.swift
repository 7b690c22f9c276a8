import Testing

@testable import BatonCore

@Suite("One event loop's tokens of a user")
struct TokenAccountTests {
    private func account(share: Int = 10, least: Int = 5, low: Int = 5, credit: Int = 10) -> TokenAccount {
        TokenAccount(share: share, least: least, low: low, credit: credit)
    }

    @Test("The first tokens are spent on credit while the bucket is asked, and charged with the first share")
    func credit() {
        var account = account()
        for spent in 1...10 {
            #expect(account.wait(for: 1, at: 0) == nil)
            account.spend(1)
            if spent == 1 { #expect(account.drawDue(at: 0) == .init(spent: 1, wanted: 10, least: 5)) }
            #expect(account.drawDue(at: 0) == nil, "one question at a time")
        }
        #expect(account.wait(for: 1, at: 0) == Limits.Sending.answerMilliseconds, "no more on credit")
        account.drew(10, waitMilliseconds: 0, at: 0)
        // Ten were spent, of which the bucket has charged one.
        #expect(account.balance == 1)
        #expect(account.wait(for: 1, at: 0) == nil)
        #expect(account.drawDue(at: 0) == .init(spent: 0, wanted: 10, least: 5))
    }

    @Test("A share is asked for when half of the one before is spent: nothing that is steady waits")
    func early() {
        var account = account()
        account.spend(1)
        _ = account.drawDue(at: 0)
        account.drew(10, waitMilliseconds: 0, at: 0)
        for left in (5...9).reversed() {
            #expect(account.drawDue(at: 0) == nil)
            account.spend(1)
            #expect(account.balance == left)
        }
        #expect(account.drawDue(at: 0) == nil)
        account.spend(1)
        #expect(account.drawDue(at: 0) == .init(spent: 0, wanted: 10, least: 5))
    }

    @Test("An empty bucket is not asked again before its time, and what is left is spent meanwhile")
    func empty() {
        var account = account()
        for _ in 0..<3 { account.spend(1) }
        _ = account.drawDue(at: 0)
        account.drew(0, waitMilliseconds: 700, at: 100)
        #expect(account.balance == 0, "the bucket has charged the three")
        #expect(account.wait(for: 1, at: 100) == 700)
        #expect(account.wait(for: 1, at: 799) == 1)
        #expect(account.drawDue(at: 799) == nil)
        // Then the next ones go on credit again, and are charged.
        #expect(account.wait(for: 10, at: 800) == nil)
        account.spend(10)
        #expect(account.drawDue(at: 800) == .init(spent: 10, wanted: 10, least: 5))
        account.drew(0, waitMilliseconds: 5_000, at: 810)
        #expect(account.wait(for: 1, at: 810) == 5_000)
    }

    @Test("What is under way counts until it is known whether it costs a token")
    func reservations() {
        var account = account(share: 3, least: 1, low: 0, credit: 2)
        account.reserve()
        account.reserve()
        #expect(account.wait(for: 1, at: 0) == Limits.Sending.answerMilliseconds)
        #expect(account.drawDue(at: 0) == nil, "nothing was spent yet")
        account.release(spending: false)
        #expect(account.wait(for: 1, at: 0) == nil)
        account.release(spending: true)
        #expect(account.balance == -1)
        #expect(account.drawDue(at: 0) == .init(spent: 1, wanted: 3, least: 1))
    }

    @Test("It may be forgotten when nothing is owed, under way or known to be empty")
    func settled() {
        var account = account()
        #expect(account.isSettled(at: 0))
        account.reserve()
        #expect(!account.isSettled(at: 0))
        account.release(spending: true)
        #expect(!account.isSettled(at: 0))
        _ = account.drawDue(at: 0)
        account.drew(0, waitMilliseconds: 50, at: 0)
        #expect(!account.isSettled(at: 49))
        #expect(account.isSettled(at: 50))
    }
}
