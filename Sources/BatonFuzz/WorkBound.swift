import BatonCore
import Glibc

/// An input of which a part comes so often that it is as large as inputs can be: work that grows with the square of
/// something shows itself there, and not in the small inputs that a fuzzer tries.
struct RepeatedInput {
    /// The part that is repeated has at most so many bytes.
    private static let longestPart = 32

    let bytes: [UInt8]

    /// The input itself says which part: the same input gives the same one again.
    init?(_ input: [UInt8], upTo largest: Int) {
        guard !input.isEmpty, input.count < largest else { return nil }
        let hash = FNV1a.hash(input)
        var start = Int(hash >> 40) % input.count
        var end = start + 1 + Int(hash >> 16 & 0xffff) % min(Self.longestPart, input.count - start)
        // Whole characters: otherwise what is repeated is seldom a text.
        while start > 0, Self.isInsideCharacter(input[start]) { start -= 1 }
        while end < input.count, Self.isInsideCharacter(input[end]) { end += 1 }
        let count = end - start
        let times = (largest - input.count) / count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(largest)
        bytes += input[..<start]
        for _ in 0...times { bytes += input[start..<start + count] }
        bytes += input[(start + count)...]
        self.bytes = bytes
    }

    private static func isInsideCharacter(_ byte: UInt8) -> Bool { byte & 0xc0 == 0x80 }
}

/// How much work an input may cause.
///
/// Work is CPU time of the thread: nothing else sees what the standard library does, such as normalising or comparing text.
/// It is far from exact, so that the bound is ten times what the slowest target takes, and only what is above it several
/// times is a finding. Work that grows with the square is a hundred times above it.
struct WorkBound {
    private static let tries = 4

    var nanosecondsPerByte: Int64 = 2_000
    var freeNanoseconds: Int64 = 4_000_000

    /// - Throws: where the work is above the bound.
    func check(_ bytes: [UInt8], _ work: ([UInt8]) -> Void) throws(FuzzFinding) {
        let most = freeNanoseconds + nanosecondsPerByte * Int64(bytes.count)
        var least = Int64.max
        for _ in 0..<Self.tries {
            let before = Self.now
            work(bytes)
            least = min(least, Self.now - before)
            if least <= most { return }
        }
        throw FuzzFinding(
            "\(bytes.count) bytes cost \(least / 1_000) us of CPU, more than \(most / 1_000): is it linear?")
    }

    /// CPU time of this thread, in nanoseconds.
    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
