/// A record as a line of JSON, one flat object.
extension HistoryRecord: Encodable {
    /// Numbered, for the parser; written by its names.
    enum Key: Int, CodingKey, CaseIterable {
        case at, event, user, device, ref, conversation, recipients, sequence, body, code, inbox, delivered, read, state
        case connection, number, address, node, clean, why, users, online, count, last, on
        case encoding, active
    }

    private enum Kind: String, Codable {
        case device, invoked, sent, ok, failed, unknown, received, applied, receipt, acked, read, connection, watching
        case presence, typed, typing, blocked, unread, reading, resync
    }

    private enum State: String, Codable {
        case opened, welcomed, live, ended
    }

    /// From a line of a file.
    init(_ line: inout HistoryLineParser) throws(HistoryLineParser.Failure) {
        let kind = try line.text(.event)
        guard let kind = Kind(rawValue: kind) else { throw .init("there is no event \"\(kind)\"") }
        self.init(at: try line.time(.at), try Self.event(kind, &line))
    }

    private static func event(
        _ kind: Kind, _ line: inout HistoryLineParser
    ) throws(HistoryLineParser.Failure) -> Event {
        switch kind {
        case .device:
            .device(
                user: try line.text(.user), device: try line.text(.device),
                encoding: line.has(.encoding) ? try line.text(.encoding) : nil)
        case .invoked:
            .invoked(
                ref: try line.text(.ref), conversation: try line.text(.conversation),
                recipients: try line.texts(.recipients), body: try line.number(.body))
        case .sent: .sent(ref: try line.text(.ref), connection: try line.number(.connection))
        case .ok:
            .ok(
                ref: try line.text(.ref), conversation: try line.text(.conversation),
                sequence: try line.number(.sequence))
        case .failed: .failed(ref: try line.text(.ref), code: try line.text(.code))
        case .unknown: .unknown(ref: try line.text(.ref))
        case .received: .received(inbox: try line.number(.inbox), connection: try line.number(.connection))
        case .applied:
            .applied(
                Applied(
                    inbox: try line.number(.inbox), conversation: try line.text(.conversation),
                    sequence: try line.number(.sequence), device: try line.text(.device), ref: try line.text(.ref),
                    body: line.has(.body) ? try line.number(.body) : nil))
        case .receipt:
            .receipt(
                Receipt(
                    inbox: try line.number(.inbox), conversation: try line.text(.conversation),
                    user: try line.text(.user), delivered: try line.number(.delivered), read: try line.number(.read)))
        case .acked: .acked(inbox: try line.number(.inbox))
        case .read: .read(conversation: try line.text(.conversation), sequence: try line.number(.sequence))
        case .connection: .connection(Connection(try line.number(.number), try change(&line)))
        case .watching: .watching(try line.texts(.users))
        case .presence: .presence(user: try line.text(.user), isOnline: try line.flag(.online))
        case .typed:
            .typed(
                conversation: try line.text(.conversation), recipients: try line.texts(.recipients),
                isActive: try line.flag(.active))
        case .typing:
            .typing(
                conversation: try line.text(.conversation), user: try line.text(.user),
                isActive: try line.flag(.active))
        case .blocked: .blocked(user: try line.text(.user))
        case .unread:
            .unread(
                conversation: try line.text(.conversation), count: try line.number(.count),
                read: try line.number(.read), last: try line.number(.last))
        case .reading: .reading(try line.flag(.on))
        case .resync: .resync(try line.text(.why))
        }
    }

    private static func change(
        _ line: inout HistoryLineParser
    ) throws(HistoryLineParser.Failure) -> Connection.Change {
        let state = try line.text(.state)
        switch State(rawValue: state) {
        case .opened: return .opened(address: try line.text(.address))
        case .welcomed: return .welcomed(node: try line.text(.node))
        case .live: return .live
        case .ended:
            let code = line.has(.code) ? try line.number(.code) : nil
            guard code ?? 0 <= UInt64(UInt16.max) else { throw .init("\"code\" is too large") }
            return .ended(
                code: code.map { UInt16(truncatingIfNeeded: $0) }, isClean: try line.flag(.clean),
                why: try line.text(.why))
        case nil: throw .init("there is no state \"\(state)\"")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(at, forKey: .at)
        switch event {
        case .device(let user, let device, let encoding):
            try fields.encode(Kind.device, forKey: .event)
            try fields.encode(user, forKey: .user)
            try fields.encode(device, forKey: .device)
            try fields.encodeIfPresent(encoding, forKey: .encoding)
        case .invoked, .sent, .ok, .failed, .unknown: try encodeSend(&fields)
        case .received, .applied, .receipt, .acked, .read, .unread, .resync: try encodeInbox(&fields)
        case .connection(let connection):
            try fields.encode(Kind.connection, forKey: .event)
            try fields.encode(connection.number, forKey: .number)
            try Self.encode(connection.change, &fields)
        case .typed, .typing, .blocked: try encodeTyping(&fields)
        case .watching(let users):
            try fields.encode(Kind.watching, forKey: .event)
            try fields.encode(users, forKey: .users)
        case .presence(let user, let isOnline):
            try fields.encode(Kind.presence, forKey: .event)
            try fields.encode(user, forKey: .user)
            try fields.encode(isOnline, forKey: .online)
        case .reading(let isOn):
            try fields.encode(Kind.reading, forKey: .event)
            try fields.encode(isOn, forKey: .on)
        }
    }

    private func encodeTyping(_ fields: inout KeyedEncodingContainer<Key>) throws {
        switch event {
        case .typed(let conversation, let recipients, let isActive):
            try fields.encode(Kind.typed, forKey: .event)
            try fields.encode(conversation, forKey: .conversation)
            try fields.encode(recipients, forKey: .recipients)
            try fields.encode(isActive, forKey: .active)
        case .typing(let conversation, let user, let isActive):
            try fields.encode(Kind.typing, forKey: .event)
            try fields.encode(conversation, forKey: .conversation)
            try fields.encode(user, forKey: .user)
            try fields.encode(isActive, forKey: .active)
        case .blocked(let user):
            try fields.encode(Kind.blocked, forKey: .event)
            try fields.encode(user, forKey: .user)
        default: break
        }
    }

    private func encodeSend(_ fields: inout KeyedEncodingContainer<Key>) throws {
        switch event {
        case .invoked(let ref, let conversation, let recipients, let body):
            try fields.encode(Kind.invoked, forKey: .event)
            try fields.encode(ref, forKey: .ref)
            try fields.encode(conversation, forKey: .conversation)
            try fields.encode(recipients, forKey: .recipients)
            try fields.encode(body, forKey: .body)
        case .sent(let ref, let connection):
            try fields.encode(Kind.sent, forKey: .event)
            try fields.encode(ref, forKey: .ref)
            try fields.encode(connection, forKey: .connection)
        case .ok(let ref, let conversation, let sequence):
            try fields.encode(Kind.ok, forKey: .event)
            try fields.encode(ref, forKey: .ref)
            try fields.encode(conversation, forKey: .conversation)
            try fields.encode(sequence, forKey: .sequence)
        case .failed(let ref, let code):
            try fields.encode(Kind.failed, forKey: .event)
            try fields.encode(ref, forKey: .ref)
            try fields.encode(code, forKey: .code)
        case .unknown(let ref):
            try fields.encode(Kind.unknown, forKey: .event)
            try fields.encode(ref, forKey: .ref)
        default: break
        }
    }

    private func encodeInbox(_ fields: inout KeyedEncodingContainer<Key>) throws {
        switch event {
        case .received(let inbox, let connection):
            try fields.encode(Kind.received, forKey: .event)
            try fields.encode(inbox, forKey: .inbox)
            try fields.encode(connection, forKey: .connection)
        case .applied(let message):
            try fields.encode(Kind.applied, forKey: .event)
            try fields.encode(message.inbox, forKey: .inbox)
            try fields.encode(message.conversation, forKey: .conversation)
            try fields.encode(message.sequence, forKey: .sequence)
            try fields.encode(message.device, forKey: .device)
            try fields.encode(message.ref, forKey: .ref)
            try fields.encodeIfPresent(message.body, forKey: .body)
        case .receipt(let receipt):
            try fields.encode(Kind.receipt, forKey: .event)
            try fields.encode(receipt.inbox, forKey: .inbox)
            try fields.encode(receipt.conversation, forKey: .conversation)
            try fields.encode(receipt.user, forKey: .user)
            try fields.encode(receipt.delivered, forKey: .delivered)
            try fields.encode(receipt.read, forKey: .read)
        case .acked(let inbox):
            try fields.encode(Kind.acked, forKey: .event)
            try fields.encode(inbox, forKey: .inbox)
        case .read(let conversation, let sequence):
            try fields.encode(Kind.read, forKey: .event)
            try fields.encode(conversation, forKey: .conversation)
            try fields.encode(sequence, forKey: .sequence)
        case .unread(let conversation, let count, let read, let last):
            try fields.encode(Kind.unread, forKey: .event)
            try fields.encode(conversation, forKey: .conversation)
            try fields.encode(count, forKey: .count)
            try fields.encode(read, forKey: .read)
            try fields.encode(last, forKey: .last)
        case .resync(let why):
            try fields.encode(Kind.resync, forKey: .event)
            try fields.encode(why, forKey: .why)
        default: break
        }
    }

    private static func encode(
        _ change: Connection.Change, _ fields: inout KeyedEncodingContainer<Key>
    ) throws {
        switch change {
        case .opened(let address):
            try fields.encode(State.opened, forKey: .state)
            try fields.encode(address, forKey: .address)
        case .welcomed(let node):
            try fields.encode(State.welcomed, forKey: .state)
            try fields.encode(node, forKey: .node)
        case .live: try fields.encode(State.live, forKey: .state)
        case .ended(let code, let isClean, let why):
            try fields.encode(State.ended, forKey: .state)
            try fields.encodeIfPresent(code, forKey: .code)
            try fields.encode(isClean, forKey: .clean)
            try fields.encode(why, forKey: .why)
        }
    }
}
