import DequeModule

/// Decides which operations go into the next transaction of a store, and who is answered after it.
///
/// A transaction takes what waits, in the order of arrival, up to `batchOperations`. A work that is longer than the room
/// spans several transactions, and is answered after its last one. Where a transaction fails, all who had a part in it are
/// answered so; where it could not even begin, all who wait, lest they wait for ever.
///
/// It does not carry out, commit or answer: the caller does, in this order: `began`, `next` until nil, `committed` or
/// `failed`.
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

    /// Nobody waits.
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

    /// The work that `next` spoke of, to keep outcomes in. Only between `next` and the transaction's end.
    public var current: Work {
        get { entries[position].work }
        _modify { yield &entries[position].work }
    }

    /// Those that will be done with this transaction.
    public var complete: [Work] { entries.prefix { $0.isComplete }.map(\.work) }

    /// The transaction is on disk.
    ///
    /// - Returns: those that are done, to be answered in this order.
    public mutating func committed() -> [Work] {
        var done: [Work] = []
        while let entry = entries.first, entry.isComplete {
            done.append(entry.work)
            entries.removeFirst()
        }
        position = -1
        return done
    }

    /// The transaction was rolled back, or nobody knows.
    ///
    /// - Returns: those that failed, with whatever of them was committed before.
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
