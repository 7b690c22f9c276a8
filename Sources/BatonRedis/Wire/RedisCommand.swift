import CHiredis
import NIOCore

/// A command and its arguments, in one piece of memory. hiredis writes it in Redis' protocol.
package struct RedisCommand: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    package init(_ words: String...) {
        for word in words { append(word) }
    }

    package mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
        ends.append(bytes.count)
    }

    package mutating func append(_ argument: [UInt8]) {
        bytes.append(contentsOf: argument)
        ends.append(bytes.count)
    }

    package mutating func append(_ number: some BinaryInteger) {
        append(String(number))
    }

    /// Appends an argument that `write` puts together in place, so that a payload is copied once.
    mutating func append(reserving count: Int, _ write: (inout [UInt8]) -> Void) {
        bytes.reserveCapacity(bytes.count + count)
        write(&bytes)
        ends.append(bytes.count)
    }

    /// An upper bound of its bytes on the wire, for the bound of what may wait.
    var cost: Int { bytes.count + 16 * (ends.count + 1) }

    /// - Returns: false only where there is no memory.
    func format(into buffer: inout ByteBuffer) -> Bool {
        bytes.withUnsafeBufferPointer { all in
            all.withMemoryRebound(to: CChar.self) { characters in
                withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: ends.count) { words in
                    withUnsafeTemporaryAllocation(of: Int.self, capacity: ends.count) { lengths in
                        var start = 0
                        for (index, end) in ends.enumerated() {
                            words.initializeElement(at: index, to: characters.baseAddress.map { $0 + start })
                            lengths.initializeElement(at: index, to: end - start)
                            start = end
                        }
                        var target: UnsafeMutablePointer<CChar>?
                        let count = redisFormatCommandArgv(
                            &target, Int32(ends.count), words.baseAddress, lengths.baseAddress)
                        guard count > 0, let target else { return false }
                        buffer.writeBytes(UnsafeRawBufferPointer(start: target, count: Int(count)))
                        redisFreeCommand(target)
                        return true
                    }
                }
            }
        }
    }
}
