import BatonClient
import BatonCore
import BatonProtocol
import NIOCore

/// One client of the load: a real connection with acknowledgements, no task, no object a message.
final class LoadConnection: RelayChannelSession {
    /// What the connection is for.
    enum Role {
        case sender(SendTemplate)
        case receiver
        case idle
    }

    /// Unaccepted messages of one sender, whatever the rate asks for; a power of two.
    private static let outstandingLimit: UInt32 = 256

    private let shard: LoadShard
    private let pair: Int
    private let role: Role
    private let ready: EventLoopPromise<Void>
    private let user: [UInt8]
    private weak var channel: RelayChannelHandler<LoadConnection>?
    /// The number of the next message, and how many are settled.
    private var nextNumber: UInt32 = 0
    private var settled: UInt32 = 0
    /// When the unaccepted ones were sent, by number.
    private var sentAt: [UInt64]
    /// The last event that came, and the last that was acknowledged.
    private var position: UInt64 = 0
    private var acknowledged: UInt64 = 0
    private var isLive = false
    /// The time of this read tick; zero between ticks.
    private var tickTime: UInt64 = 0

    init(shard: LoadShard, user: UserID, pair: Int, role: Role, ready: EventLoopPromise<Void>) {
        self.shard = shard
        self.user = Array(user.description.utf8)
        self.pair = pair
        self.role = role
        self.ready = ready
        if case .sender = role {
            sentAt = Array(repeating: 0, count: Int(Self.outstandingLimit))
            shard.senders.append(self)
        } else {
            sentAt = []
        }
    }

    /// Messages sent that were neither accepted nor rejected yet.
    var unsettled: Int { isLive ? Int(nextNumber &- settled) : 0 }

    // MARK: Sending

    /// Sends until the window is full or the quota used up.
    func fillWindow() {
        guard case .sender = role else { return }
        while isLive, nextNumber &- settled < UInt32(min(shard.window, Int(Self.outstandingLimit))),
            nextNumber < UInt32(clamping: shard.quota), let channel, channel.isWritable
        {
            send(on: channel)
        }
    }

    /// Sends one message, unless too many are unaccepted.
    func sendOne() {
        guard isLive, nextNumber &- settled < Self.outstandingLimit, let channel, channel.isWritable else { return }
        send(on: channel)
    }

    private func send(on channel: RelayChannelHandler<LoadConnection>) {
        guard case .sender(let template) = role else { return }
        let (number, now) = (nextNumber, time())
        nextNumber += 1
        sentAt[Int(number % Self.outstandingLimit)] = now
        channel.write(count: template.bytes.count) { template.fill($0, number: number, time: now) }
    }

    func close() {
        isLive = false
        channel?.close(.normal)
    }

    // MARK: RelayChannelSession

    func opened(_ channel: RelayChannelHandler<LoadConnection>) {
        self.channel = channel
        var frame = WireClientFrame()
        frame.hello.client = "baton-bench/1.0"
        write(frame)
    }

    func received(_ payload: UnsafeRawBufferPointer, on channel: RelayChannelHandler<LoadConnection>) {
        switch ServerFrameScan(payload) {
        case .accepted(let number): accepted(number)
        case .message(let position, let sender, let number, let sent):
            advance(to: position)
            guard let number, let sent, !UnsafeRawBufferPointer(rebasing: payload[sender]).elementsEqual(user) else {
                return
            }
            shard.ledgers[pair]?.delivered(number)
            let now = time()
            shard.delivered(after: now > sent ? now - sent : 0)
        case .entry(let position, let kind):
            advance(to: position)
            if kind == .receipt { shard.counters.receipts += 1 }
        case .other, .malformed: receivedRare(payload, on: channel)
        }
    }

    func answeredPing() { shard.counters.heartbeats += 1 }

    func readEnded(on channel: RelayChannelHandler<LoadConnection>) {
        if position > acknowledged {
            acknowledged = position
            Self.writeAck(position, on: channel)
        }
        fillWindow()
        tickTime = 0
    }

    func writabilityChanged(_ isWritable: Bool, on channel: RelayChannelHandler<LoadConnection>) {
        if isWritable { fillWindow() }
    }

    func closed(_ ending: RelayEnding) {
        if isLive { shard.counters.disconnected += 1 }
        isLive = false
        ready.fail(BenchError("a connection ended before it was ready: \(ending)"))
    }

    // MARK: Private

    private func accepted(_ number: UInt32) {
        guard nextNumber &- number <= Self.outstandingLimit else { return }
        settled += 1
        shard.ledgers[pair]?.accepted(number)
        let sent = sentAt[Int(number % Self.outstandingLimit)]
        let now = time()
        shard.accepted(after: now > sent ? now - sent : 0)
    }

    /// The inbox is dense; anything else is the server's mistake, and counted.
    private func advance(to position: UInt64) {
        if position != self.position + 1 { shard.counters.gaps += 1 }
        self.position = max(self.position, position)
    }

    private func receivedRare(_ payload: UnsafeRawBufferPointer, on channel: RelayChannelHandler<LoadConnection>) {
        guard let frame = try? FrameCodec.decodeServerFrame(Array(payload), as: .proto) else {
            return channel.abort(.broken("a frame that is none of relay.proto"))
        }
        switch frame.frame {
        case .welcome(let welcome):
            position = welcome.resumedFrom
            acknowledged = position
        case .caughtUp:
            isLive = true
            ready.succeed()
        case .rejected:
            settled += 1
            shard.counters.rejected += 1
        case .event(let event): advance(to: event.inboxSequence)
        case .accepted, .presence, .typing, .pong, .goAway, .error, nil: break
        }
    }

    private func time() -> UInt64 {
        guard channel?.isReading == true else { return NIODeadline.now().uptimeNanoseconds }
        if tickTime == 0 { tickTime = NIODeadline.now().uptimeNanoseconds }
        return tickTime
    }

    private func write(_ frame: WireClientFrame) {
        if let bytes = try? FrameCodec.encode(frame, as: .proto) { channel?.write(bytes) }
    }

    /// `ClientFrame { ack { inbox_sequence } }`, by hand.
    private static func writeAck(_ position: UInt64, on channel: RelayChannelHandler<LoadConnection>) {
        let digits = max(1, (64 - position.leadingZeroBitCount + 6) / 7)
        channel.write(count: 3 + digits) { bytes in
            bytes[0] = 3 << 3 | 2
            bytes[1] = UInt8(1 + digits)
            bytes[2] = 1 << 3
            for index in 0..<digits {
                let more: UInt8 = index + 1 < digits ? 0x80 : 0
                bytes[3 + index] = UInt8(truncatingIfNeeded: position >> UInt64(7 * index)) & 0x7f | more
            }
        }
    }
}

@available(*, unavailable)
extension LoadConnection: Sendable {}
