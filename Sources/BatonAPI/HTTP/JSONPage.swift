import BatonCore
import BatonProtocol
import Hummingbird
import NIOCore
import SwiftProtobuf

/// An answer that holds a part of a list: as many items as fit into `Limits.Page.bytes`, and one however large it is.
///
/// What a client gets counts, not what is stored: escapes make six bytes of one. So each item is encoded by itself, and the
/// answer is put together from that. A test reads it as the message that it stands for.
struct JSONPage {
    private var items: [[UInt8]] = []
    private var bytes = 0

    /// - Returns: false where it does not fit; then it is not in the answer.
    mutating func add(_ item: some SwiftProtobuf.Message) throws(APIError) -> Bool {
        let encoded = try JSONBody.bytes(of: item)
        guard items.isEmpty || bytes + encoded.count + 1 <= Limits.Page.bytes else { return false }
        items.append(encoded)
        bytes += encoded.count + 1
        return true
    }

    /// The items in the other order.
    mutating func reverse() { items.reverse() }

    /// - Parameters:
    ///   - name: the list's, as JSON has it.
    ///   - rest: the message with all fields but the list.
    func response(_ name: String, rest: some SwiftProtobuf.Message) throws(APIError) -> Response {
        guard !items.isEmpty else { return try JSONBody.response(rest) }
        let fields = try JSONBody.bytes(of: rest)
        var body = ByteBuffer()
        body.reserveCapacity(bytes + fields.count + name.utf8.count + 8)
        body.writeString("{\"\(name)\":")
        for (index, item) in items.enumerated() {
            body.writeString(index == 0 ? "[" : ",")
            body.writeBytes(item)
        }
        body.writeString("]")
        // Of `{}` or `{...}` what is between the braces.
        if fields.count > 2 { body.writeString(",") }
        body.writeBytes(fields.dropFirst())
        return JSONBody.response(body)
    }
}
