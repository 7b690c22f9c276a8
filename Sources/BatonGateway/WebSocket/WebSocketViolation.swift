package import BatonProtocol

/// What a peer did against RFC 6455 or against our limits. It ends the connection, and nobody else's.
package enum WebSocketViolation: Error, Hashable, Sendable {
    case reservedBits
    case unknownOpcode(UInt8)
    case unmasked
    case lengthNotMinimal
    case fragmentedControlFrame
    case controlFrameTooLong
    case continuationWithoutStart
    case messageInsideMessage
    case closeFrameTooShort
    case closeCodeNotAllowed(UInt16)
    case invalidUTF8
    case messageTooBig
    case tooManyFragments
    case tooManyControlFrames

    /// The code of the close frame that answers it.
    package var closeCode: CloseCode {
        switch self {
        case .invalidUTF8: .invalidUTF8
        case .messageTooBig, .tooManyFragments: .tooBig
        case .tooManyControlFrames: .misbehaved
        default: .protocolError
        }
    }

    /// The reason in that close frame, for the people who write clients. At most 123 bytes.
    package var reason: String {
        switch self {
        case .reservedBits: "reserved bits are set; no extension was negotiated"
        case .unknownOpcode(let opcode): "there is no opcode \(opcode)"
        case .unmasked: "frames of a client must be masked"
        case .lengthNotMinimal: "the length is not in its shortest form"
        case .fragmentedControlFrame: "a control frame must not be fragmented"
        case .controlFrameTooLong: "a control frame holds at most 125 bytes"
        case .continuationWithoutStart: "a continuation with no message to continue"
        case .messageInsideMessage: "a new message before the end of the last"
        case .closeFrameTooShort: "a close frame holds no byte, or a code of two"
        case .closeCodeNotAllowed(let code): "the close code \(code) must not be sent"
        case .invalidUTF8: "the text is not UTF-8"
        case .messageTooBig: "the message is larger than the limit"
        case .tooManyFragments: "the message has too many fragments"
        case .tooManyControlFrames: "too many control frames"
        }
    }
}
