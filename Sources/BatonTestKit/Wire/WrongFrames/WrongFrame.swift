package import BatonProtocol
import Foundation
import Testing

/// A frame that no node takes, and what can be known of it all the same.
package struct WrongFrame: Sendable, CustomTestStringConvertible {
    package let encoding: Subprotocol
    package let payload: [UInt8]
    /// The ref of the send that it is, where it can be read.
    package let ref: String?
    /// Its kind, where it can be read.
    package let kind: String?
    /// The field that is wrong, seen from the kind of frame, where it is a single one.
    package let field: String?

    package var testDescription: String {
        encoding == .json ? String(decoding: payload, as: UTF8.self) : "\(payload)"
    }
}

/// The contract's frames with everything that can be wrong with each of their fields, as the contract names them: a new
/// field is in it by itself.
package enum WrongFrames {
    /// A right frame of each kind, and of a send one of each choice that it has.
    package static func samples(user: String, conversation: String) -> [WireClientFrame] {
        var frames = [WireClientFrame](repeating: WireClientFrame(), count: 8)
        frames[0].hello.resume.epoch = "0000000000001"
        frames[0].hello.resume.inboxSequence = 1
        frames[0].hello.client = "test"
        frames[1].send.ref = "ref-1"
        frames[1].send.user = user
        frames[1].send.content.text = "hello"
        frames[2].send.ref = "ref-2"
        frames[2].send.conversation = conversation
        frames[2].send.content.data = .init([1, 2, 3])
        frames[2].send.content.mediaType = "image/png"
        frames[3].ack.inboxSequence = 1
        frames[4].read.conversation = conversation
        frames[4].read.sequence = 1
        frames[5].typing.conversation = conversation
        frames[5].typing.active = true
        frames[6].watch.users = [user]
        frames[7].ping.nonce = "nonce-1"
        return frames
    }

    /// A field of a frame: the fields that lead to it, itself the last.
    struct Path {
        let fields: [WireSchema.Field]

        var names: [String] { fields.map { WireSchema.shared.name(of: $0) } }

        /// As an error names it.
        var inFrame: String {
            (names.count > 1 ? Array(names.dropFirst()) : names).joined(separator: ".")
        }

        var field: WireSchema.Field { fields[fields.count - 1] }
    }

    /// All fields of a kind of frame, the kind itself the first.
    static func paths(of kind: String) -> [Path] {
        let schema = WireSchema.shared
        func paths(below path: [WireSchema.Field]) -> [Path] {
            guard let last = path.last, case .message(let index) = last.kind else { return [Path(fields: path)] }
            let inner = schema.fields[schema.messages[Int(index)].fields]
            return [Path(fields: path)] + inner.flatMap { paths(below: path + [$0]) }
        }
        let frame = schema.messages[WireSchema.clientFrame]
        return schema.fields[frame.fields].filter { schema.name(of: $0) == kind }.flatMap { paths(below: [$0]) }
    }
}
