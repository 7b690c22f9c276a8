import DequeModule

/// Decides which operations go into the next transaction of a store, and who is answered after it.
///
/// A transaction takes waiting works in the order of arrival, up to `batchOperations` operations. A work that does not
/// fit spans several transactions, and is answered after the last one. If a transaction fails, every work with a part
/// in it fails. If it could not begin, every waiting work fails, so that none waits for ever.
///
/// This type only decides. The caller carries out, commits and answers, and calls `began`, then `next` until it returns
/// nil, then `committed` or `failed`.
public struct GroupCommit<Work> {
    private struct Entry {
        var work: Work
        let operations: Int
        /// Operations that went into transactions, the running one included.
        var taken = 0
        var isTaken = false

        var isComplete: Bool { isTaken && taken == operations }
    }

    private var entries: Deque<Entry> = []
    /// The entry that `next` returned last; -1 before the first.
    private var position = -1
    private var room = 0
    private let batchOperations: Int

    public init(batchOperations: Int = Limits.Store.batchOperations) {
        self.batchOperations = batchOperations
    }

    /// True while no work waits.
    public var isEmpty: Bool { entries.isEmpty }

    /// Operations in the running transaction.
    public var taken: Int { batchOperations - room }

    public mutating func arrived(_ work: Work, operations: Int) {
        entries.append(Entry(work: work, operations: operations))
    }

    /// A transaction begins, or tries to.
    public mutating func began() {
        position = -1
        room = batchOperations
    }

    /// The operations of `current` to carry out now; nil where the transaction is full or nothing more waits.
    public mutating func next() -> Range<Int>? {
        guard room > 0, position + 1 < entries.count else { return nil }
        position += 1
        let first = entries[position].taken
        let count = min(room, entries[position].operations - first)
        entries[position].taken += count
        entries[position].isTaken = true
        room -= count
        return first..<first + count
    }

    /// The work whose operations `next` returned last. The caller keeps outcomes in it. Valid from `next` until
    /// `committed` or `failed`.
    public var current: Work {
        get { entries[position].work }
        _modify { yield &entries[position].work }
    }

    /// The works that are complete once this transaction commits.
    public var complete: [Work] { entries.prefix { $0.isComplete }.map(\.work) }

    /// The transaction is on disk.
    ///
    /// - Returns: the complete works, in the order in which to answer them.
    public mutating func committed() -> [Work] {
        var done: [Work] = []
        while let entry = entries.first, entry.isComplete {
            done.append(entry.work)
            entries.removeFirst()
        }
        position = -1
        return done
    }

    /// The transaction was rolled back, or its result is unknown.
    ///
    /// - Returns: the failed works. Earlier transactions may have committed parts of them.
    public mutating func failed() -> [Work] {
        let hasBegun = entries.first?.isTaken ?? false
        var failed: [Work] = []
        while let entry = entries.first, entry.isTaken || !hasBegun {
            failed.append(entry.work)
            entries.removeFirst()
        }
        position = -1
        return failed
    }
}
