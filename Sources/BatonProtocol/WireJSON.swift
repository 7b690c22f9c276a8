package import SwiftProtobuf

/// The proto3 JSON of the contract's messages, in frames and in REST.
///
/// swift-protobuf writes it. It does not read it here: see the article `Decisions`.
package enum WireJSON {
    /// Reads a text that holds one message.
    ///
    /// - Throws: what is wrong with it, and where.
    package static func decode<Message: SwiftProtobuf.Message>(
        _ type: Message.Type, from bytes: [UInt8]
    ) throws(WireFault) -> Message {
        guard let index = WireSchema.shared.index(of: Message.protoMessageName) else {
            throw WireFault("\(Message.protoMessageName) is no message of the contract")
        }
        let json = JSONTranscoder(bytes, as: index)
        if let fault = json.fault { throw fault }
        do {
            return try Message(serializedBytes: json.output)
        } catch {
            throw WireFault("the text is not JSON of \(Message.protoMessageName)")
        }
    }

    /// Writes a message: what is zero, empty or false is left out.
    package static func encode(_ message: some SwiftProtobuf.Message) throws -> [UInt8] {
        try message.jsonUTF8Bytes(options: JSONEncodingOptions())
    }
}
