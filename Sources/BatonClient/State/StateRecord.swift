import BatonProtocol
import SwiftProtobuf

/// One change of what a client keeps across restarts, and its form in the file.
///
/// `length (4 bytes) | CRC-32 of the rest (4) | kind (1) | body`, numbers big-endian. The checksum tells a record that
/// was written whole from the torn end that a crash leaves.
enum StateRecord: Hashable, Sendable {
    /// A message was queued.
    case queued(WireSend)
    /// The message of this ref is settled.
    case settled(ref: String)
    /// The application has applied the inbox up to here.
    case position(InboxPosition)
    /// The tokens changed.
    case tokens(WireTokens)
    /// The device is logged out: tokens and position are void. Queued messages stay, and are the user's who was logged in.
    case loggedOut
    /// Whose the queued messages are, where nobody is logged in.
    case user(String)

    /// Bytes before the body.
    static let headBytes = 9
    /// Bytes of a body; a longer one is damage.
    static let bodyBytes = 256 * 1024

    enum Step {
        case record(StateRecord, end: Int)
        /// The rest is not a whole record: torn, or damaged.
        case end
    }

    func append(to bytes: inout [UInt8]) throws {
        let body: [UInt8]
        switch self {
        case .queued(let send): body = try send.serializedBytes()
        case .settled(let ref): body = Array(ref.utf8)
        case .position(let position):
            var resume = WireResume()
            resume.epoch = position.epoch
            resume.inboxSequence = position.sequence
            body = try resume.serializedBytes()
        case .tokens(let tokens): body = try tokens.serializedBytes()
        case .loggedOut: body = []
        case .user(let user): body = Array(user.utf8)
        }
        let checked = [kind] + body
        Self.append(UInt32(body.count), to: &bytes)
        Self.append(CRC32.checksum(checked), to: &bytes)
        bytes.append(contentsOf: checked)
    }

    /// Reads the record at `offset`. Whatever stands there, it does not trap.
    static func read(_ bytes: [UInt8], at offset: Int) -> Step {
        guard bytes.count - offset >= headBytes else { return .end }
        let count = Int(number(bytes, at: offset))
        guard count <= bodyBytes, bytes.count - offset - headBytes >= count else { return .end }
        let end = offset + headBytes + count
        guard CRC32.checksum(bytes[offset + 8..<end]) == number(bytes, at: offset + 4) else { return .end }
        let body = Array(bytes[offset + headBytes..<end])
        guard let record = StateRecord(kind: bytes[offset + 8], body: body) else { return .end }
        return .record(record, end: end)
    }

    private var kind: UInt8 {
        switch self {
        case .queued: 1
        case .settled: 2
        case .position: 3
        case .tokens: 4
        case .loggedOut: 5
        case .user: 6
        }
    }

    private init?(kind: UInt8, body: [UInt8]) {
        switch kind {
        case 1:
            guard let send = try? WireSend(serializedBytes: body) else { return nil }
            self = .queued(send)
        case 2: self = .settled(ref: String(decoding: body, as: UTF8.self))
        case 3:
            guard let resume = try? WireResume(serializedBytes: body) else { return nil }
            self = .position(InboxPosition(epoch: resume.epoch, sequence: resume.inboxSequence))
        case 4:
            guard let tokens = try? WireTokens(serializedBytes: body) else { return nil }
            self = .tokens(tokens)
        case 5: self = .loggedOut
        case 6: self = .user(String(decoding: body, as: UTF8.self))
        default: return nil
        }
    }

    private static func append(_ number: UInt32, to bytes: inout [UInt8]) {
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(shift))) }
    }

    private static func number(_ bytes: [UInt8], at offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// The checksum of Ethernet and gzip (polynomial 0x04C11DB7, reflected).
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
    }

    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }
}
