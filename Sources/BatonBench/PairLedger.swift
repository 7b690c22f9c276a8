/// What a pair's sender was promised and what its receiver got, exactly: every message by its number.
struct PairLedger {
    /// Numbers that were accepted, and that arrived; dense from zero.
    private var acceptedNumbers = NumberSet()
    private var deliveredNumbers = NumberSet()
    private var highest: UInt32?
    private(set) var duplicated = 0
    private(set) var reordered = 0

    mutating func accepted(_ number: UInt32) {
        acceptedNumbers.insert(number)
    }

    mutating func delivered(_ number: UInt32) {
        guard deliveredNumbers.insert(number) else {
            duplicated += 1
            return
        }
        if let highest, number < highest { reordered += 1 }
        highest = max(highest ?? 0, number)
    }

    /// Accepted and not delivered.
    var lost: Int { acceptedNumbers.subtracting(deliveredNumbers) }
}

/// A set of small numbers, one bit each.
struct NumberSet {
    /// A number beyond this is none of ours; the set stays small whatever comes.
    static let limit: UInt32 = 1 << 26
    private var words: [UInt64] = []

    /// - Returns: false where the number is in it already.
    @discardableResult
    mutating func insert(_ number: UInt32) -> Bool {
        guard number < Self.limit else { return true }
        let (word, bit) = (Int(number >> 6), UInt64(1) << UInt64(number & 63))
        while words.count <= word { words.append(0) }
        defer { words[word] |= bit }
        return words[word] & bit == 0
    }

    /// How many are in this set and not in the other.
    func subtracting(_ other: NumberSet) -> Int {
        var count = 0
        for (index, word) in words.enumerated() {
            count += (word & ~(index < other.words.count ? other.words[index] : 0)).nonzeroBitCount
        }
        return count
    }
}
