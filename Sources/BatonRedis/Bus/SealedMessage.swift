package import BatonCore

/// A bus message as it travels: its text and, for events and typing notices, a proof that a node of this cluster sent
/// it. Clients are shown these two kinds without a read of the store or a registry.
///
///     event <inbox sequence> <frame><proof>
///     typing <conversation> <user> on|off <time> <proof>
///
/// An event's proof is a protobuf field that no frame uses (`proofField`). An older node, which knows no proofs, passes
/// the frame on with it, and clients ignore it. Without a valid proof an event only says that there is something to
/// read, and typing is not shown. All other messages only make the receiver ask the store or a registry: they need no
/// proof.
package enum SealedMessage: Equatable {
    case proven(BusMessage)
    /// No valid proof: an older node sent it, or a program that is no node. Holds what may still be used, if anything.
    case unproven(BusMessage?)
    /// Not a message that any node sends.
    case undecodable

    /// The protobuf tag of field 2047 (bytes), and the length of its value.
    static let proofField: [UInt8] = [0xfa, 0x7f, UInt8(ClusterSeal.proofBytes)]
    private static let proofCount = proofField.count + ClusterSeal.proofBytes

    /// Bytes of a message's text and proof, at most.
    static func count(of message: BusMessage) -> Int {
        message.textCount + proofCount + ClusterSeal.proofCharacters + 32
    }

    /// - Parameter place: the name of the channel.
    package static func append(
        _ message: BusMessage, at place: String, sealedBy seal: ClusterSeal?, to bytes: inout [UInt8]
    ) {
        let start = bytes.count
        message.append(to: &bytes)
        guard let seal else { return }
        switch message {
        case .event:
            let proof = seal.proof(of: bytes[start...], at: place)
            bytes += proofField
            bytes += proof
        case .typing:
            let text = String(decoding: bytes[start...], as: UTF8.self) + " \(seal.clock.now.text)"
            bytes.removeLast(bytes.count - start)
            bytes += "\(text) \(seal.proofText(of: text, at: place))".utf8
        case .head, .displaced, .revoked, .acquaintance, .presence: break
        }
    }

    /// - Parameter place: the name of the channel.
    package init(text: [UInt8], at place: String, seal: ClusterSeal?) {
        if text.starts(with: BusMessage.eventPrefix) {
            self.init(event: text, at: place, seal)
        } else if text.starts(with: Self.typingPrefix) {
            self.init(typing: text, at: place, seal)
        } else {
            self = BusMessage(text: text[...]).map(Self.proven) ?? .undecodable
        }
    }

    private static let typingPrefix = Array("typing ".utf8)

    private init(event text: [UInt8], at place: String, _ seal: ClusterSeal?) {
        let (body, end) = (text.dropLast(Self.proofCount), text.suffix(Self.proofCount))
        if let seal, end.starts(with: Self.proofField),
            seal.isProven(body, at: place, by: end.suffix(ClusterSeal.proofBytes))
        {
            self = BusMessage(text: body).map(Self.proven) ?? .undecodable
            return
        }
        guard case .event(let sequence, _) = BusMessage(text: text[...]) else {
            self = .undecodable
            return
        }
        self = .unproven(.head(sequence))
    }

    private init(typing text: [UInt8], at place: String, _ seal: ClusterSeal?) {
        let words = text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        if words.count == 6, let seal, let time = Timestamp(text: words[4]),
            let message = BusMessage(text: text[..<(words[3].endIndex)])
        {
            let age = seal.clock.now.milliseconds.subtractingReportingOverflow(time.milliseconds)
            let isFresh = !age.overflow && age.partialValue.magnitude <= Limits.Presence.typingNoticeSeconds * 1_000
            let isProven = seal.isProven(text[..<(words[4].endIndex)], at: place, byText: words[5])
            self = isFresh && isProven ? .proven(message) : .unproven(nil)
        } else if words.count == 4, BusMessage(text: text[...]) != nil {
            self = .unproven(nil)
        } else {
            self = .undecodable
        }
    }
}
