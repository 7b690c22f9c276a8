public import SwiftProtobuf

/// The two encodings of a connection.
///
/// Bytes from outside never trap here: whatever cannot be read is a `FrameError` that says what was wrong.
public enum FrameCodec {
    /// A client's frame.
    ///
    /// - Throws: `FrameError` with the catalogue's error, and with what it answers where that can be read.
    public static func decode(
        _ bytes: [UInt8], as encoding: Subprotocol
    ) throws(FrameError) -> WireClientFrame.OneOf_Frame {
        switch encoding {
        case .proto: try decodeProtobuf(bytes)
        case .json: try decodeJSON(bytes)
        }
    }

    /// A node's frame, for clients.
    public static func decodeServerFrame(_ bytes: [UInt8], as encoding: Subprotocol) throws -> WireServerFrame {
        switch encoding {
        case .proto: try WireServerFrame(serializedBytes: bytes)
        case .json: try WireJSON.decode(WireServerFrame.self, from: bytes)
        }
    }

    /// A frame in the encoding of a connection. The result is the payload of one WebSocket message.
    public static func encode(_ frame: some SwiftProtobuf.Message, as encoding: Subprotocol) throws -> [UInt8] {
        switch encoding {
        case .proto: try frame.serializedBytes()
        case .json: try WireJSON.encode(frame)
        }
    }

    /// An event's binary frame in JSON, for connections that speak it.
    public static func transcodeToJSON(_ frame: [UInt8]) throws -> [UInt8] {
        try WireJSON.encode(try WireServerFrame(serializedBytes: frame))
    }

    private static func decodeProtobuf(_ bytes: [UInt8]) throws(FrameError) -> WireClientFrame.OneOf_Frame {
        let check = ProtobufCheck(bytes, as: WireSchema.clientFrame, .structure)
        guard check.fault == nil else { throw malformedProtobuf(bytes) }
        let frame: WireClientFrame
        do {
            frame = try WireClientFrame(serializedBytes: bytes)
        } catch {
            throw malformedProtobuf(bytes)
        }
        guard let content = frame.frame else { throw unknownFrame(check.unknownField.map { "field \($0)" }) }
        return content
    }

    private static func malformedProtobuf(_ bytes: [UInt8]) -> FrameError {
        let check = ProtobufCheck(bytes, as: WireSchema.clientFrame, .everything)
        return malformed(check.fault ?? WireFault("the frame is not protobuf of a ClientFrame"), check.kept)
    }

    private static func decodeJSON(_ bytes: [UInt8]) throws(FrameError) -> WireClientFrame.OneOf_Frame {
        let json = JSONTranscoder(bytes, as: WireSchema.clientFrame)
        if let fault = json.fault { throw malformed(fault, json.output) }
        let frame: WireClientFrame
        do {
            frame = try WireClientFrame(serializedBytes: json.output)
        } catch {
            throw malformed(WireFault("the text is not JSON of a ClientFrame"), json.output)
        }
        guard let content = frame.frame else { throw unknownFrame(json.unknownField.map { "\"\($0)\"" }) }
        return content
    }

    /// - Parameter readable: the protobuf of what could be read of the frame.
    private static func malformed(_ fault: WireFault, _ readable: [UInt8]) -> FrameError {
        let fault = fault.withinFrame
        let error = FrameError(.malformedFrame, fault.message, field: fault.field)
        guard let frame = answered(by: readable) else { return error }
        return error.answering(frame)
    }

    /// Which frame is answered where a text holds parts of one or, against the rules, of several: a send that can be
    /// told by its ref first, since a client repeats it until it is answered.
    private static func answered(by readable: [UInt8]) -> WireClientFrame.OneOf_Frame? {
        var first: WireClientFrame.OneOf_Frame?
        var position = 0
        while position < readable.count {
            let start = position
            guard Varint.read(readable, &position, before: readable.count) != nil,
                let count = Varint.read(readable, &position, before: readable.count),
                count <= UInt64(readable.count - position)
            else { return first }
            position += Int(count)
            let frame = (try? WireClientFrame(serializedBytes: Array(readable[start..<position])))?.frame
            if case .send(let send)? = frame, !send.ref.isEmpty { return frame }
            if first == nil { first = frame }
        }
        return first
    }

    /// Names the kind of frame that is not of this version.
    private static func unknownFrame(_ name: String?) -> FrameError {
        let known = WireSchema.shared.names(of: WireSchema.clientFrame).joined(separator: ", ")
        guard let name else { return FrameError(.unknownFrame, "the frame is empty; there are: \(known)") }
        return FrameError(.unknownFrame, "there is no frame \(name) in this version; there are: \(known)")
    }
}
