import Foundation
public import SwiftProtobuf

/// The two encodings of a connection.
///
/// Bytes from outside never trap here: whatever cannot be read is a `FrameError` that says what was wrong.
public enum FrameCodec {
    /// A client's frame.
    ///
    /// - Throws: `FrameError` with the catalogue's error.
    public static func decode(
        _ bytes: some SwiftProtobufContiguousBytes, as encoding: Subprotocol
    ) throws(FrameError) -> WireClientFrame.OneOf_Frame {
        let frame: WireClientFrame
        do {
            switch encoding {
            case .proto: frame = try WireClientFrame(serializedBytes: bytes)
            case .json: frame = try WireClientFrame(jsonUTF8Bytes: bytes, options: jsonDecoding)
            }
        } catch {
            let form = encoding == .proto ? "protobuf" : "proto3 JSON"
            throw FrameError(.malformedFrame, "the frame is not \(form) of a ClientFrame (relay.proto): \(error)")
        }
        guard let content = frame.frame else { throw unknownFrame(bytes, frame, encoding) }
        return content
    }

    /// A node's frame, for clients.
    public static func decodeServerFrame(
        _ bytes: some SwiftProtobufContiguousBytes, as encoding: Subprotocol
    ) throws -> WireServerFrame {
        switch encoding {
        case .proto: try WireServerFrame(serializedBytes: bytes)
        case .json: try WireServerFrame(jsonUTF8Bytes: bytes, options: jsonDecoding)
        }
    }

    /// A frame in the encoding of a connection. The result is the payload of one WebSocket message.
    public static func encode(_ frame: some SwiftProtobuf.Message, as encoding: Subprotocol) throws -> [UInt8] {
        switch encoding {
        case .proto: try frame.serializedBytes()
        case .json: try frame.jsonUTF8Bytes(options: jsonEncoding)
        }
    }

    /// An event's binary frame in JSON, for connections that speak it.
    public static func transcodeToJSON(_ frame: [UInt8]) throws -> [UInt8] {
        try WireServerFrame(serializedBytes: frame).jsonUTF8Bytes(options: jsonEncoding)
    }

    /// How JSON is read, here and in REST.
    public static let jsonDecoding: JSONDecodingOptions = {
        var options = JSONDecodingOptions()
        options.ignoreUnknownFields = true
        options.messageDepthLimit = 8
        return options
    }()

    /// How JSON is written, here and in REST: absent fields are left out.
    public static let jsonEncoding = JSONEncodingOptions()

    /// The number of the first field of a message in protobuf.
    private static func firstField(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var tag: UInt64 = 0
        for (index, byte) in bytes.prefix(5).enumerated() {
            tag |= UInt64(byte & 0x7f) << (7 * UInt64(index))
            if byte < 0x80 { return Int(tag >> 3) }
        }
        return nil
    }

    /// Names the kind of frame that is not of this version.
    private static func unknownFrame(
        _ bytes: some SwiftProtobufContiguousBytes, _ frame: WireClientFrame, _ encoding: Subprotocol
    ) -> FrameError {
        let kinds = ["hello", "send", "ack", "read", "typing", "watch", "ping"]
        let known = kinds.joined(separator: ", ")
        let name: String?
        switch encoding {
        case .proto:
            let number = bytes.withUnsafeBytes(firstField)
            // The generated code takes a field of another wire type for an unknown one.
            if let number, kinds.indices.contains(number - 1) {
                return FrameError(
                    .malformedFrame,
                    "field \(number) of a ClientFrame (relay.proto) is the message \(kinds[number - 1])")
            }
            name = number.map { "field \($0)" }
        case .json:
            let data = bytes.withUnsafeBytes { Data($0) }
            let object = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
            name = object?.keys.sorted().first { !kinds.contains($0) }.map { "\"\($0.prefix(32))\"" }
        }
        guard let name else { return FrameError(.unknownFrame, "the frame is empty; there are: \(known)") }
        return FrameError(.unknownFrame, "there is no frame \(name) in this version; there are: \(known)")
    }
}

/// Why a frame was not taken.
public struct FrameError: Error, Hashable, Sendable {
    public let error: WireError

    public init(_ code: ErrorCode, _ message: String, field: String = "", retryAfterMilliseconds: UInt32 = 0) {
        error = WireError(code, message, field: field, retryAfterMilliseconds: retryAfterMilliseconds)
    }
}
