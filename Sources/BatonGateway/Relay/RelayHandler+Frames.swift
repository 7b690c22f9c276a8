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
        case .send(let send): handle(send)
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
            throw FrameError(.invalidField, "client has at most \(limit) bytes", field: "client")
        }
        if !hello.client.isEmpty { clientName = Self.printable(hello.client) }
        if hello.hasResume {
            guard let epoch = Epoch(hello.resume.epoch) else {
                throw FrameError(
                    .invalidField, "an epoch is what welcome said: 13 characters", field: "resume.epoch")
            }
            guard hello.resume.inboxSequence <= UInt64(Int64.max) else {
                throw FrameError(.invalidField, "a sequence is at most 2^63-1", field: "resume.inboxSequence")
            }
            resume = Resume(epoch: epoch, position: InboxSequence(rawValue: hello.resume.inboxSequence))
        }
        phase = .opening
        loop.greet(self)
    }

    /// What a client calls itself goes into a line that people read: printable ASCII, no blanks.
    private static func printable(_ name: String) -> String {
        String(decoding: name.utf8.map { (0x21...0x7e).contains($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }

    /// A send is answered by its ref whatever is wrong with it, so that a client's outbox knows.
    private func handle(_ send: WireSend) {
        do {
            let request = try request(send)
            let now = loop.eventLoop.now
            loop.traceReceived(request, at: now)
            loop.submit(.send(request), for: .send(self, ref: send.ref, at: now))
            operationBegan()
        } catch {
            rejectSend(send.ref, error.error)
        }
    }

    private func request(_ send: WireSend) throws(FrameError) -> SendRequest {
        let refBytes = Limits.Message.refBytes
        guard !send.ref.isEmpty, send.ref.utf8.count <= refBytes else {
            throw FrameError(.invalidField, "a ref has 1 to \(refBytes) bytes", field: "ref")
        }
        guard send.hasContent, send.content.kind != nil else {
            throw FrameError(.missingField, "a message has content: text or data", field: "content")
        }
        let size =
            switch send.content.kind {
            case .text(let text): text.utf8.count
            case .data(let data): data.count
            case nil: 0
            }
        let contentBytes = loop.node.settings.contentBytes
        guard size > 0 else { throw FrameError(.missingField, "the content is empty", field: "content") }
        guard size + send.content.mediaType.utf8.count <= contentBytes else {
            throw FrameError(.tooLarge, "content has at most \(contentBytes) bytes, not \(size)", field: "content")
        }
        let (target, conversation) = try target(send)
        guard
            let payload = try? EventFrame.payload(
                conversation: conversation, sender: principal.user, device: principal.device, ref: send.ref,
                content: send.content)
        else { throw FrameError(.internalError, "the message could not be encoded") }
        return SendRequest(
            sender: principal.user, device: principal.device, ref: send.ref, target: target, payload: payload,
            at: loop.clock.now)
    }

    private func target(_ send: WireSend) throws(FrameError) -> (SendRequest.Target, ConversationID) {
        switch send.to {
        case .conversation(let text):
            let id = try conversation(text)
            return (.conversation(id), id)
        case .user(let text):
            guard let user = UserID(text) else {
                throw FrameError(.invalidField, "a user's id has 13 characters", field: "user")
            }
            guard let id = ConversationID(between: principal.user, and: user) else {
                throw FrameError(.sameUser, "you cannot write to yourself", field: "user")
            }
            return (.user(user), id)
        case nil: throw FrameError(.missingField, "say to whom: conversation or user", field: "to")
        }
    }

    private func conversation(_ text: String) throws(FrameError) -> ConversationID {
        guard let id = ConversationID(text) else {
            throw FrameError(
                .invalidField, "a conversation's id is <user>-<user> or g-<13 characters>", field: "conversation")
        }
        return id
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
            throw FrameError(.beyondLast, "the last event sent to you is \(last)", field: "inboxSequence")
        }
    }

    func store(acknowledged position: InboxSequence) {
        guard let position = acknowledgements.acknowledged(position) else { return }
        submit(acknowledged: position)
    }

    private func submit(acknowledged position: InboxSequence) {
        let request = AcknowledgeRequest(
            user: principal.user, device: principal.device, position: position, at: loop.clock.now)
        loop.submit(acknowledgement: request, of: self)
    }

    /// The store is done with an acknowledgement.
    func acknowledgeEnded(_ position: InboxSequence, _ outcome: StoreOutcome) {
        // The client does not say it again, and the sender waits for the second tick: the next second tries anew.
        if case .failed = outcome { unstoredAcknowledgement = max(position, unstoredAcknowledgement ?? .zero) }
        if case .refused(.deviceRevoked) = outcome {
            close(.revoked, "this device was revoked")
            return
        }
        if let next = acknowledgements.stored(), context != nil { submit(acknowledged: next) }
    }

    private func handle(_ read: WireRead) throws(FrameError) {
        let id = try conversation(read.conversation)
        guard read.sequence > 0, read.sequence <= UInt64(Int64.max) else {
            throw FrameError(.invalidField, "a sequence is at least 1", field: "sequence")
        }
        let request = ReadRequest(
            user: principal.user, device: principal.device, conversation: id,
            sequence: ConversationSequence(rawValue: read.sequence), at: loop.clock.now)
        loop.submit(.read(request), for: .read(self))
        operationBegan()
    }

    func readEnded(_ outcome: StoreOutcome) {
        operationEnded()
        switch outcome {
        case .refused(.deviceRevoked): close(.revoked, "this device was revoked")
        case .refused(let refusal): write(.error(WireError(refusal)))
        case .failed(let failure): write(.error(WireError(failure)))
        case .sent, .acknowledged, .markedRead, .connected: break
        }
    }

    private func handle(_ ping: WirePing) throws(FrameError) {
        guard ping.nonce.utf8.count <= Limits.Message.refBytes else {
            throw FrameError(
                .invalidField, "a nonce has at most \(Limits.Message.refBytes) bytes", field: "nonce")
        }
        var pong = WirePong()
        pong.nonce = ping.nonce
        write(.pong(pong))
    }

    private func handle(_ typing: WireTyping) throws(FrameError) {
        let id = try conversation(typing.conversation)
        try takeEphemeral()
        loop.typing(in: id, active: typing.active, from: self)
    }

    private func handle(_ watch: WireWatch) throws(FrameError) {
        let limit = Limits.Connection.watchedUsers
        guard watch.users.count <= limit else {
            throw FrameError(.invalidField, "at most \(limit) users are watched by a connection", field: "users")
        }
        var users: [UserID] = []
        for text in watch.users {
            guard let user = UserID(text) else {
                throw FrameError(.invalidField, "a user's id has 13 characters", field: "users")
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
        throw FrameError(
            .rateLimited, "at most \(rate) typing and watch frames a second; wait \(wait) ms",
            retryAfterMilliseconds: UInt32(clamping: wait))
    }
}

/// What a connection that types or watches keeps besides.
final class EphemeralState {
    var bucket = TokenBucket(
        capacity: Limits.Connection.ephemeralPerSecond, perSecond: Double(Limits.Connection.ephemeralPerSecond))
    var watched: Set<UserID> = []
    /// The latest `watch`: an answer to an earlier one comes too late.
    var watchRequests: UInt64 = 0
    /// Conversations in which this user was found to be allowed to type, and until when that is believed.
    private(set) var typingAllowed: [ConversationID: NIODeadline] = [:]

    static let typingConversations = 16

    /// Nobody types in so many conversations at once: where it is too many, all are asked about again.
    func allowTyping(in id: ConversationID, until deadline: NIODeadline) {
        if typingAllowed.count >= Self.typingConversations { typingAllowed = [:] }
        typingAllowed[id] = deadline
    }
}

@available(*, unavailable) extension EphemeralState: Sendable {}
