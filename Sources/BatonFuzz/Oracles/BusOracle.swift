import BatonCore
import BatonRedis

/// What comes on a channel of the bus, sent by a node or by anybody who may write to Redis.
enum BusOracle: FuzzOracle {
    static let largest = Limits.Frame.messageBytes

    private static let channel = Keys.channel(.user(UserID(rawValue: 0x0123_4567_89ab_cdef)))
    private static let other = Keys.channel(.watch(UserID(rawValue: 0x0123_4567_89ab_cdef)))
    private static let now = Timestamp(milliseconds: 1_767_225_600_000)

    private struct StandingClock: CivilClock {
        var now: Timestamp
    }

    private static func seal(at time: Timestamp = now) -> ClusterSeal {
        ClusterSeal(
            keys: [ClusterSeal.Key(bytes: Array(0..<32), created: Timestamp(milliseconds: 0))],
            clock: StandingClock(now: time))
    }

    static func work(_ bytes: [UInt8]) { _ = SealedMessage(text: bytes, at: channel, seal: seal()) }

    static func judge(_ bytes: [UInt8]) throws(FuzzFinding) {
        let seal = seal()
        switch SealedMessage(text: bytes, at: channel, seal: seal) {
        case .proven(.typing): break  // Its time is not that of now.
        case .proven(let message):
            try expect(written(message, seal) == bytes, "a message has two texts: \(message)")
        case .unproven(let rest):
            if case .head? = rest {} else { try expect(rest == nil, "without proof it is believed: \(bytes)") }
        case .undecodable: break
        }
        try checkUnsealed(bytes)
        try checkFrame(bytes)
    }

    /// A node without keys, such as one of the tests.
    private static func checkUnsealed(_ bytes: [UInt8]) throws(FuzzFinding) {
        guard case .proven(let message) = SealedMessage(text: bytes, at: channel, seal: nil) else { return }
        if case .event = message { throw FuzzFinding("an event without proof is believed") }
        if case .typing = message { throw FuzzFinding("typing without proof is believed") }
        try expect(written(message, nil) == bytes, "a message has two texts: \(message)")
    }

    /// The bytes as the frame of an event: it arrives as it was sent, and with one bit of it changed, or elsewhere, it is no event.
    private static func checkFrame(_ bytes: [UInt8]) throws(FuzzFinding) {
        let seal = seal()
        let event = BusMessage.event(InboxSequence(rawValue: UInt64(bytes.count) + 1), frame: bytes)
        var text = written(event, seal)
        let arrived = SealedMessage(text: text, at: channel, seal: seal)
        try expect(arrived == .proven(event), "an event is not what was sent")
        let elsewhere = SealedMessage(text: text, at: other, seal: seal)
        if case .proven = elsewhere { throw FuzzFinding("an event of another channel is believed") }
        let place = Int(FNV1a.hash(bytes) >> 16) % (8 * text.count)
        text[place / 8] ^= 1 << (place % 8)
        switch SealedMessage(text: text, at: channel, seal: seal) {
        case .proven(.event), .proven(.typing): throw FuzzFinding("an event is believed with bit \(place) changed")
        default: break
        }
    }

    private static func written(_ message: BusMessage, _ seal: ClusterSeal?) -> [UInt8] {
        var text: [UInt8] = []
        SealedMessage.append(message, at: channel, sealedBy: seal, to: &text)
        return text
    }
}
