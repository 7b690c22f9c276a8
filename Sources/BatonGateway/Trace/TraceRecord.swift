package import BatonCore

/// One moment of a message's life, as a node's trace keeps it: 64 bytes, a cache line, and numbers only, so that writing
/// one is a copy and that any bytes read back are a record, if maybe a meaningless one. Never a message's content.
///
/// What `user`, `device`, `place` and the three halves of a message's id hold depends on the kind.
package struct TraceRecord: Hashable, Sendable {
    package enum Kind: UInt8, CaseIterable, Sendable {
        /// A send arrived: sender, device, `place` is the ref's hash, `number` the bytes of the payload.
        case received = 1
        /// A send was answered with an error: sender, device, `place` is the ref's hash, the id's bytes are the error's code.
        case rejected
        /// A commit ended: `number` counts the process' commits, `small` its operations, and in nanoseconds `user` the wait
        /// for the turnstile, `device` the work before the commit, `place` the commit.
        case committed
        /// The sender was told so: sender, device, `place` is the ref's hash, `number` the commit.
        case accepted
        /// A hint went out: recipient, `place` in their inbox, `number` of receivers, counted after `small` microseconds.
        case published
        /// An event was written to a device: user, device, `place`; `small` events are unacknowledged then.
        case written
        /// A device cannot take events: user, device, `place` is what waits, `high` what was sent last.
        case blocked
        /// The sweep found that a connection was not hinted: user, device, `place` is the inbox' head.
        case missed
        /// A device acknowledged up to `place`: user, device, `high` is what it had acknowledged before.
        case acknowledged
        /// That acknowledgement is on disk: user, device, `place`, `number` the commit.
        case stored
        /// A connection opened its inbox: user, device, `place` where it resumes, `high` the inbox' head.
        case opened
        /// A connection ended: user, device, `place` what was sent last, `high` what was acknowledged, `number` the close code.
        case closed
    }

    /// `detail` of some kinds.
    package enum Detail {
        package static let isRepeat: UInt8 = 1  // accepted
        package static let failed: UInt8 = 1  // published, stored
        package static let byDrain: UInt8 = 1  // written; otherwise by a hint
        package static let windowFull: UInt8 = 1  // blocked ...
        package static let notWritable: UInt8 = 2
    }

    /// Nanoseconds of the host's monotonic clock.
    package var time: UInt64 = 0
    package var number: UInt32 = 0
    package var small: UInt16 = 0
    /// The raw value of a `Kind`, or anything where a file is garbled.
    package var kind: UInt8 = 0
    package var detail: UInt8 = 0
    package var user: UInt64 = 0
    package var device: UInt64 = 0
    package var place: UInt64 = 0
    package var high: UInt64 = 0
    package var low: UInt64 = 0
    package var sequence: UInt64 = 0

    package static let bytes = 64

    @inline(__always)
    package init(_ kind: Kind, at time: UInt64) {
        self.kind = kind.rawValue
        self.time = time
    }

    @inline(__always)
    package init(_ kind: Kind, at time: UInt64, user: UserID, device: DeviceID, place: UInt64) {
        self.kind = kind.rawValue
        self.time = time
        self.user = user.rawValue
        self.device = device.rawValue
        self.place = place
    }

    /// The message it is about; nil where the record does not say.
    package var message: MessageID? {
        get {
            guard sequence > 0, sequence <= UInt64(Int64.max) else { return nil }
            return MessageID(
                conversation: ConversationID(high: high, low: low),
                sequence: ConversationSequence(rawValue: sequence))
        }
        set {
            high = newValue?.conversation.high ?? 0
            low = newValue?.conversation.low ?? 0
            sequence = newValue?.sequence.rawValue ?? 0
        }
    }
}

/// A ref in 64 bits: what finds a send by the name that its device gave it, without keeping the name.
package enum RefHash {
    /// Eight bytes at a time, about 10 ns for a UUID's text. Not to be relied on against people who look for collisions: the
    /// store tells what a ref really names.
    package static func of(_ ref: String) -> UInt64 {
        var ref = ref
        return ref.withUTF8 { bytes in
            var hash = 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
            let raw = UnsafeRawBufferPointer(bytes)
            var index = 0
            while index + 8 <= raw.count {
                hash = mix(hash ^ raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                index += 8
            }
            var rest: UInt64 = 0
            while index < raw.count {
                rest = rest << 8 | UInt64(raw[index])
                index += 1
            }
            return mix(hash ^ rest)
        }
    }

    @inline(__always)
    private static func mix(_ number: UInt64) -> UInt64 {
        let product = number &* 0xD6E8_FEB8_6659_FD93
        return product ^ product >> 32
    }
}
