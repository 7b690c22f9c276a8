public import Foundation

extension Pipe {
    /// The lines that a program prints into this pipe, without their ends; the last may lack one. Ends with the output.
    ///
    /// Call it once, after the program was started. Lines are read also when nobody takes them any more, so that the
    /// program never waits for its reader.
    ///
    /// A thread of its own reads. The handler of `FileHandle` is not used: libdispatch ended the tests with signal 11 in
    /// one run of fifteen when several programs ended at one time.
    public func lines() -> AsyncStream<String> {
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        let reader = fileHandleForReading
        Thread.detachNewThread {
            var open: [UInt8] = []
            while case let piece = reader.availableData, !piece.isEmpty {
                for byte in piece {
                    if byte == UInt8(ascii: "\n") {
                        continuation.yield(String(decoding: open, as: UTF8.self))
                        open = []
                    } else {
                        open.append(byte)
                    }
                }
            }
            if !open.isEmpty { continuation.yield(String(decoding: open, as: UTF8.self)) }
            continuation.finish()
        }
        return lines
    }
}
