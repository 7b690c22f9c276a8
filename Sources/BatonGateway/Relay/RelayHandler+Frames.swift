import BatonCore
import BatonProtocol
import NIOCore

/// What each kind of frame does.
extension RelayHandler {
    func handle(_ frame: WireClientFrame.OneOf_Frame) throws(FrameError) {
        if case .hello(let hello) = frame {
            try handle(hello)
            return
        }
        guard phase != .awaitingHello else {
            throw FrameError(.helloExpected, "the first frame must be a hello")
        }
        switch frame {
        case .hello: break
        case .send(let send): try handle(send)
        case .ack(let ack): try handle(ack)
        case .read(let read): try handle(read)
        case .typing(let typing): try handle(typing)
        case .watch(let watch): try handle(watch)
        case .ping(let ping): try handle(ping)
        }
    }

    private func handle(_ hello: WireHello) throws(FrameError) {
        guard phase == .awaitingHello else {
            throw FrameError(.alreadyGreeted, "there is one hello in a connection")
        }
        let limit = Limits.Connection.clientNameLength
        guard hello.client.utf8.count <= limit else {
            throw FrameError(
                .invalidField, "client has \(hello.client.utf8.count) bytes; at most \(limit) are allowed",
                field: "client")
        }
        if !hello.client.isEmpty { clientName = Self.printable(hello.client) }
        if hello.hasResume {
            guard let epoch = Epoch(hello.resume.epoch) else {
                throw FrameError(
                    .invalidField,
                    "resume.epoch has to be what welcome said, 13 characters, and is \(Excerpt.quoted(hello.resume.epoch))",
                    field: "resume.epoch")
            }
            let position = try sequence(hello.resume.inboxSequence, from: 0, field: "resume.inboxSequence")
            resume = Resume(epoch: epoch, position: InboxSequence(rawValue: position))
        }
        phase = .opening
        loop.greet(self)
    }

    /// What a client calls itself goes into a line that people read: printable ASCII, no blanks.
    private static func printable(_ name: String) -> String {
        String(decoding: name.utf8.map { (0x21...0x7e).contains($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }

    private func handle(_ send: WireSend) throws(FrameError) {
        var request = try loop.reader(of: principal).request(send, at: loop.clock.now)
        let now = loop.eventLoop.now
        #if DEBUG
            request = loop.forgettingRefAfterPause(request, at: now)
        #endif
        request.refusing = try loop.charge(self, bytes: request.payload.count, at: now)
        loop.traceReceived(request, at: now)
        loop.enqueue(.send(request), for: .send(self, ref: send.ref, at: now, refusing: request.refusing))
        operationBegan()
    }

    /// Sequences are stored as numbers of 64 bits with a sign.
    private func sequence(_ number: UInt64, from least: UInt64, field: String) throws(FrameError) -> UInt64 {
        guard (least...UInt64(Int64.max)).contains(number) else {
            throw FrameError(
                .invalidField, "\(field) has to be from \(least) to \(Int64.max), and is \(number)", field: field)
        }
        return number
    }

    private func handle(_ ack: WireAck) throws(FrameError) {
        let position = InboxSequence(rawValue: ack.inboxSequence)
        let before = delivery?.acknowledged ?? .zero
        switch delivery?.receivedAcknowledgement(position) {
        case .advanced(let step):
            lastProgress = loop.eventLoop.now
            loop.traceAcknowledged(position, after: before, by: self)
            loop.node.settings.failpoints.passed(.acknowledged)
            store(acknowledged: position)
            act(step)
        case .old, nil: break
        case .beyondSent(let last):
            throw FrameError(
                .beyondLast, "inboxSequence is \(ack.inboxSequence); the last event sent to you is \(last)",
                field: "inboxSequence")
        }
    }

    func store(acknowledged position: InboxSequence) {
        guard let position = acknowledgements.acknowledged(position) else { return }
        enqueue(acknowledged: position)
    }

    private func enqueue(acknowledged position: InboxSequence) {
        let request = AcknowledgeRequest(
            user: principal.user, device: principal.device, position: position, at: loop.clock.now)
        loop.enqueue(acknowledgement: request, of: self)
    }

    /// The store is done with an acknowledgement.
    func acknowledgeEnded(_ position: InboxSequence, _ outcome: StoreOutcome) {
        // The client does not say it again, and the sender waits for the second tick: the next second tries anew.
        if case .failed = outcome { unstoredAcknowledgement = max(position, unstoredAcknowledgement ?? .zero) }
        if case .refused(.deviceRevoked(let reason)) = outcome {
            closeRevoked(reason)
            return
        }
        if let next = acknowledgements.stored(), context != nil { enqueue(acknowledged: next) }
    }

    private func handle(_ read: WireRead) throws(FrameError) {
        let id = try ConversationID.read(read.conversation)
        let sequence = try sequence(read.sequence, from: 1, field: "sequence")
        let request = ReadRequest(
            user: principal.user, device: principal.device, conversation: id,
            sequence: ConversationSequence(rawValue: sequence), at: loop.clock.now)
        loop.enqueue(.read(request), for: .read(self, id))
        operationBegan()
    }

    func markReadEnded(_ outcome: StoreOutcome, of id: ConversationID) {
        operationEnded()
        var read = WireRead()
        read.conversation = id.description
        switch outcome {
        case .refused(.deviceRevoked(let reason)): closeRevoked(reason)
        case .refused(let refusal): write(.error(FrameError(WireError(refusal)).answering(.read(read)).error))
        case .failed(let failure): write(.error(FrameError(WireError(failure)).answering(.read(read)).error))
        case .sent, .acknowledged, .markedRead, .connected: break
        }
    }

    private func handle(_ ping: WirePing) throws(FrameError) {
        let limit = Limits.Message.refBytes
        guard ping.nonce.utf8.count <= limit else {
            throw FrameError(
                .invalidField, "nonce has \(ping.nonce.utf8.count) bytes; at most \(limit) are allowed", field: "nonce")
        }
        var pong = WirePong()
        pong.nonce = ping.nonce
        write(.pong(pong))
    }

    private func handle(_ typing: WireTyping) throws(FrameError) {
        let id = try ConversationID.read(typing.conversation)
        try takeEphemeral()
        loop.typing(in: id, active: typing.active, from: self)
    }

    private func handle(_ watch: WireWatch) throws(FrameError) {
        let limit = Limits.Connection.watchedUsers
        guard watch.users.count <= limit else {
            throw FrameError(
                .invalidField, "users has \(watch.users.count) entries; at most \(limit) are allowed", field: "users")
        }
        var users: [UserID] = []
        for text in watch.users {
            guard let user = UserID(text) else {
                throw FrameError(
                    .invalidField,
                    "users has to hold users' ids, 13 characters each, and holds \(Excerpt.quoted(text))",
                    field: "users")
            }
            if user != principal.user { users.append(user) }
        }
        try takeEphemeral()
        loop.watch(users, from: self)
    }

    private func takeEphemeral() throws(FrameError) {
        let state = ephemeral ?? EphemeralState()
        ephemeral = state
        let now = Int64(clamping: loop.eventLoop.now.uptimeNanoseconds / 1_000_000)
        guard let wait = state.bucket.take(at: now) else { return }
        let rate = Limits.Connection.ephemeralPerSecond
        let kinds = ClientFrameKind.allCases.filter(\.isEphemeral).map(\.name).joined(separator: " and ")
        throw FrameError(
            .rateLimited, "at most \(rate) \(kinds) frames a second; wait \(wait) ms",
            retryAfterMilliseconds: UInt32(clamping: wait))
    }
}
