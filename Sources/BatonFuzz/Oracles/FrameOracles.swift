import BatonCore
import BatonProtocol
import Foundation

/// A client's frame in JSON.
enum JSONFrameOracle: FuzzOracle {
    static let largest = Limits.Frame.messageBytes

    static func work(_ bytes: [UInt8]) { _ = DecodedFrame(bytes, as: .json) }

    static func judge(_ bytes: [UInt8]) throws(FuzzFinding) {
        let decoded = DecodedFrame(bytes, as: .json)
        try decoded.check()
        if let escaped = EscapedJSON.of(bytes) {
            let other = DecodedFrame(escaped, as: .json)
            try expect(other.means(decoded), "raw it is \(decoded), escaped \(other)")
        }
        try compare(decoded, withFoundationsReadingOf: bytes)
    }

    /// A second opinion: Foundation reads the same strings, unless it does not read the text.
    private static func compare(
        _ decoded: DecodedFrame, withFoundationsReadingOf bytes: [UInt8]
    ) throws(FuzzFinding) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else { return }
        func text(_ path: [String]) -> String? {
            var value: Any = object
            for name in path {
                guard let fields = value as? [String: Any], let inner = fields[name] else { return nil }
                value = inner
            }
            return value as? String
        }
        for (path, read) in decoded.texts {
            // Where the name stands there in its other form, there is nothing to compare.
            guard let text = text(path) else { continue }
            try expect(
                text.utf8.elementsEqual(read.utf8),
                "\(path.joined(separator: ".")) is \(read), and Foundation reads \(text)")
        }
    }
}

/// A client's frame in protobuf.
enum ProtobufFrameOracle: FuzzOracle {
    static let largest = Limits.Frame.messageBytes

    static func work(_ bytes: [UInt8]) { _ = DecodedFrame(bytes, as: .proto) }

    static func judge(_ bytes: [UInt8]) throws(FuzzFinding) {
        try DecodedFrame(bytes, as: .proto).check()
    }
}

/// What became of a frame's bytes.
enum DecodedFrame: CustomStringConvertible {
    case frame(WireClientFrame.OneOf_Frame)
    case wrong(FrameError)

    init(_ bytes: [UInt8], as encoding: Subprotocol) {
        do throws(FrameError) {
            self = .frame(try FrameCodec.decode(bytes, as: encoding))
        } catch {
            self = .wrong(error)
        }
    }

    var description: String {
        switch self {
        case .frame(let frame): "\(frame)"
        case .wrong(let error): "\(error.error.code) of \(error.ref ?? error.error.frame): \(error.error.message)"
        }
    }

    /// The same frame, or answered in the same way. Where something is wrong, the text of the error may show what came.
    func means(_ other: DecodedFrame) -> Bool {
        switch (self, other) {
        case (.frame(let one), .frame(let another)): one == another
        case (.wrong(let one), .wrong(let another)):
            one.error.code == another.error.code && one.ref == another.ref && one.error.frame == another.error.frame
                && one.error.nonce == another.error.nonce && one.error.conversation == another.error.conversation
        default: false
        }
    }

    /// What holds for all frames and errors.
    func check() throws(FuzzFinding) {
        switch self {
        case .frame(let content):
            var frame = WireClientFrame()
            frame.frame = content
            for encoding in Subprotocol.allCases { try Self.checkRoundTrip(frame, as: encoding) }
        case .wrong(let error):
            try WireErrorOracle.check(error.error)
            try expect(error.ref != "", "an answer with an empty ref")
            // Our own reading lets nothing through that the generated code does not take.
            try expect(!error.error.message.hasSuffix("of a ClientFrame"), "a fault without a name")
        }
    }

    /// Decoded, encoded and decoded again it is the same. JSON has no place for fields that are not known.
    private static func checkRoundTrip(_ frame: WireClientFrame, as encoding: Subprotocol) throws(FuzzFinding) {
        guard let content = frame.frame, let bytes = try? FrameCodec.encode(frame, as: encoding) else {
            throw FuzzFinding("a frame that was read cannot be written in \(encoding)")
        }
        guard case .frame(let again) = DecodedFrame(bytes, as: encoding) else {
            throw FuzzFinding("a frame that was written in \(encoding) cannot be read: \(content)")
        }
        switch encoding {
        case .proto: try expect(again == content, "protobuf of \(content) is read as \(again)")
        case .json:
            var frame = WireClientFrame()
            frame.frame = again
            let same = (try? FrameCodec.encode(frame, as: .json)) == bytes
            try expect(same, "JSON of \(content) is read as \(again)")
        }
    }

    /// The strings that it holds, and where they stand in JSON.
    fileprivate var texts: [(path: [String], text: String)] {
        guard case .frame(let frame) = self else { return [] }
        switch frame {
        case .hello(let hello):
            return [(["hello", "client"], hello.client), (["hello", "resume", "epoch"], hello.resume.epoch)]
        case .send(let send):
            return [
                (["send", "ref"], send.ref), (["send", "content", "text"], send.content.text),
                (["send", "user"], send.user), (["send", "conversation"], send.conversation),
                (["send", "content", "mediaType"], send.content.mediaType),
            ]
        case .read(let read): return [(["read", "conversation"], read.conversation)]
        case .typing(let typing): return [(["typing", "conversation"], typing.conversation)]
        case .ping(let ping): return [(["ping", "nonce"], ping.nonce)]
        case .ack, .watch: return []
        }
    }
}

/// An error that a client gets.
enum WireErrorOracle {
    private static let longest = 1_024

    static func check(_ error: WireError) throws(FuzzFinding) {
        try expect(ErrorCode(rawValue: error.code) != nil, "an error that is not in the catalogue: \(error.code)")
        for text in [error.message, error.field] {
            let isPlain = text.utf8.allSatisfy { (0x20...0x7e).contains($0) }
            try expect(isPlain, "an error shows what came as it is: \(text)")
            try expect(text.utf8.count <= longest, "an error has \(text.utf8.count) bytes")
        }
        try expect(!error.message.isEmpty, "an error without words")
    }
}
