import BatonCore
import BatonProtocol

/// The frame of a sender's messages, encoded once: a message is a copy with a number and a time put in.
///
/// The body is text of a fixed length that begins with the time of sending, in 16 hexadecimal digits; the ref ends
/// with the message's number, in 8.
struct SendTemplate {
    static let bodyBytes = 128
    static let timeDigits = 16
    static let numberDigits = 8

    let bytes: [UInt8]
    private let numberOffset: Int
    private let timeOffset: Int

    /// - Parameter run: tells this run's messages from those of another; 8 characters.
    init(to user: UserID, run: String) throws(BenchError) {
        // Characters that occur nowhere else, so that their places are found in the encoded frame.
        let number = String(repeating: "~", count: Self.numberDigits)
        let time = String(repeating: "^", count: Self.timeDigits)
        var frame = WireClientFrame()
        frame.send.ref = run + number
        frame.send.user = user.description
        frame.send.content.text = time + String(repeating: "x", count: Self.bodyBytes - Self.timeDigits)
        guard let bytes = try? FrameCodec.encode(frame, as: .proto),
            let numberOffset = bytes.firstIndex(of: UInt8(ascii: "~")),
            let timeOffset = bytes.firstIndex(of: UInt8(ascii: "^"))
        else { throw BenchError("the frame of a message cannot be encoded") }
        self.bytes = bytes
        self.numberOffset = numberOffset
        self.timeOffset = timeOffset
    }

    /// Writes one message's frame, which has exactly `bytes.count` bytes.
    func fill(_ target: UnsafeMutableRawBufferPointer, number: UInt32, time: UInt64) {
        target.copyBytes(from: bytes)
        Hexadecimal.write(
            UInt64(number), digits: Self.numberDigits, into: target, at: numberOffset)
        Hexadecimal.write(time, digits: Self.timeDigits, into: target, at: timeOffset)
    }
}

/// Numbers as hexadecimal digits of a fixed count.
enum Hexadecimal {
    static func write(_ number: UInt64, digits: Int, into target: UnsafeMutableRawBufferPointer, at offset: Int) {
        var rest = number
        for index in stride(from: offset + digits - 1, through: offset, by: -1) {
            let digit = UInt8(truncatingIfNeeded: rest & 15)
            target[index] = digit < 10 ? 48 + digit : 87 + digit
            rest >>= 4
        }
    }

    /// - Returns: nil where a character is no digit.
    static func read(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> UInt64? {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else { return nil }
        var number: UInt64 = 0
        for index in range {
            switch bytes[index] {
            case 48...57: number = number << 4 | UInt64(bytes[index] - 48)
            case 97...102: number = number << 4 | UInt64(bytes[index] - 87)
            default: return nil
            }
        }
        return number
    }
}
