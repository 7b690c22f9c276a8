import BatonClient
import BatonCore

import struct BatonClient.AcceptedMessage

/// What the relay sends, and what it answers.
extension ChatModel {
    /// The conversation to ask for before an event is taken in, so that its people have names.
    func missing(for event: ClientEvent) -> ChatRequest? {
        let id: ConversationID
        switch event {
        case .message(let message): id = message.id.conversation
        // A message of an earlier run: its recipient is but an id here.
        case .accepted(let message): id = message.id.conversation
        default: return nil
        }
        guard let thread = threads[id], thread.members.allSatisfy(isKnown) else { return .conversation(id) }
        return nil
    }

    mutating func received(_ event: ClientEvent, now: Timestamp) -> ChatStep {
        switch event {
        case .message(let message): return received(message)
        case .receipt(let receipt): return received(receipt)
        case .accepted(let message): return accepted(message)
        case .rejected(let message): return rejected(message)
        case .resync: return resync()
        case .caughtUp:
            isCaughtUp = true
            return ChatStep()
        case .presence(let change): return presenceChanged(change, now: now)
        case .typing(let typing): return typingChanged(typing, now: now)
        }
    }

    mutating func connectionChanged(_ state: ConnectionState, now: Timestamp) -> ChatStep {
        let before = connection
        var step = ChatStep()
        switch state {
        case .offline(let reason):
            connection = .offline(reason.words)
            if reason != .requested { ending = reason }
        case .connecting(let address): connection = .connecting(address.description)
        case .catchingUp(let node): connection = .catchingUp(node: PrintableText.escaped(node))
        case .online(let node): connection = .online(node: PrintableText.escaped(node))
        case .waiting(let delay, let why):
            connection = .waiting(
                until: now.advanced(byMilliseconds: Int64(delay / .milliseconds(1))), why: PrintableText.escaped(why))
        }
        if case .online = connection {
            // What was told while there was no connection was not heard, and what was told before it broke perhaps not.
            if let open {
                threads[open]?.toldRead = .zero
                step.requests += readRequests(open)
                if threads[open]?.isLoaded == false { step.requests.append(.history(open)) }
            }
            step.requests.append(.conversations)
        }
        switch state {
        // States and events come by two ways: those of a connection that has caught up may come after that was told.
        case .connecting, .catchingUp, .online: break
        case .waiting, .offline: isCaughtUp = false
        }
        switch state {
        // Steps on the way, and what the person wanted, are no news.
        case .connecting, .catchingUp, .offline(.requested): break
        default: if connection != before { step.notes.append(.connection(connectionText(now: now))) }
        }
        return step
    }

    mutating func answered(_ answer: ChatAnswer, now: Timestamp) -> ChatStep {
        switch answer {
        case .queued(let ref, let text, let recipient): return queued(ref, text, recipient, now: now)
        case .notQueued(_, let why): return .note(.problem("not sent: \(why)"))
        case .conversations(let conversations):
            isListed = true
            for conversation in conversations { update(conversation) }
            return ChatStep(requests: watchRequests())
        case .conversation(let conversation):
            update(conversation)
            return ChatStep(requests: watchRequests())
        case .opened(let profile): return opened(profile, now: now)
        case .arrived(let profile, let handle): return arrived(profile, handle, now: now)
        case .notYet(let handle): return notYet(handle)
        case .noSuchUser(let handle): return .note(.problem("there is no user @\(PrintableText.escaped(handle))"))
        case .history(let id, let page):
            threads[id]?.load(page)
            let entries = threads[id]?.entries.suffix(Self.page) ?? []
            let note = id == open ? [history(of: id, entries)] : []
            return ChatStep(notes: note, requests: readRequests(id))
        case .noHistory(let id):
            threads[id]?.loadedNothing()
            return ChatStep()
        case .older(let id, let page):
            threads[id]?.loadOlder(page)
            if page.messages.isEmpty { return .note(.info("this is the beginning of the conversation")) }
            return .note(history(of: id, page.messages.map { ChatEntry($0) }))
        case .who(let profile):
            remember(profile)
            return .note(.list(describe(profile, now: now)))
        case .devices(let devices): return .note(.list(describe(devices, now: now)))
        case .revoked(let device): return .note(.info("device \(device) was logged out"))
        case .failed(let why): return .note(.problem(why))
        }
    }

    // MARK: Events

    private mutating func received(_ message: Message) -> ChatStep {
        let id = message.id.conversation
        if threads[id] == nil {
            // Nothing more could be learned about it: the ids say who is in it.
            let peer = id.peer(of: me) ?? message.sender
            threads[id] = ChatThread(id: id, members: peer == me ? [] : [peer])
        }
        let isOpen = id == open
        guard threads[id]?.add(message, me: me) == true else { return ChatStep(requests: readRequests(id)) }
        // Somebody who reads back keeps what they look at.
        if !isOpen { threads[id]?.trim() }
        let note = ChatNote.message(
            ChatEntry(message), sender: name(of: message.sender), conversation: title(of: id),
            isOwn: message.sender == me)
        return ChatStep(notes: [note], requests: readRequests(id) + watchRequests())
    }

    private mutating func received(_ receipt: Receipt) -> ChatStep {
        let id = receipt.conversation
        guard let thread = threads[id] else { return ChatStep() }
        let before = thread.entries.map { thread.tick(of: $0) }
        threads[id]?.advance(receipt.user, delivered: receipt.delivered, read: receipt.read)
        if receipt.user == me {
            threads[id]?.markedRead(upTo: receipt.read)
            return ChatStep()
        }
        guard let after = threads[id] else { return ChatStep() }
        var step = ChatStep()
        for (index, entry) in after.entries.enumerated() where entry.sender == me {
            let tick = after.tick(of: entry)
            if tick != before[index] { step.notes.append(.progress(entry, to: title(of: id), tick: tick)) }
        }
        return step
    }

    private mutating func accepted(_ message: AcceptedMessage) -> ChatStep {
        let id = message.id.conversation
        guard let entry = threads[id]?.accepted(message), let tick = threads[id]?.tick(of: entry) else {
            if early.count < Self.earlyOutcomes { early[message.ref] = .accepted(message) }
            return ChatStep()
        }
        return ChatStep.note(.progress(entry, to: title(of: id), tick: tick))
    }

    private mutating func rejected(_ message: RejectedMessage) -> ChatStep {
        let why = PrintableText.escaped(message.error.message)
        for id in threads.keys {
            guard let entry = threads[id]?.refused(message.ref, why: why) else { continue }
            return ChatStep(notes: [
                .progress(entry, to: title(of: id), tick: .refused), .problem("not sent: \(why)"),
            ])
        }
        if early.count < Self.earlyOutcomes { early[message.ref] = .rejected(message) }
        return ChatStep()
    }

    /// Events are gone: everything that is here may have a hole.
    private mutating func resync() -> ChatStep {
        for id in threads.keys { threads[id]?.invalidate() }
        var step = ChatStep.note(.info("the relay asks to read everything again"))
        step.requests.append(.conversations)
        if let open { step.requests.append(.history(open)) }
        return step
    }

    private mutating func presenceChanged(_ change: PresenceChange, now: Timestamp) -> ChatStep {
        guard let before = people[change.user] else { return ChatStep() }
        people[change.user]?.presence = change
        guard before.presence?.isOnline != change.isOnline else { return ChatStep() }
        return .note(.presence("\(before.handle) \(presence(of: change.user, now: now) ?? "offline")"))
    }

    private mutating func typingChanged(_ typing: Typing, now: Timestamp) -> ChatStep {
        guard typing.user != me, let thread = threads[typing.conversation] else { return ChatStep() }
        let wasTyping = thread.typing[typing.user] != nil
        let end = now.advanced(byMilliseconds: Limits.Presence.typingSeconds * 1_000)
        threads[typing.conversation]?.isTyping(typing.user, until: typing.isActive ? end : nil)
        guard wasTyping != typing.isActive else { return ChatStep() }
        return .note(.typing(name(of: typing.user), isActive: typing.isActive))
    }

    // MARK: Answers

    private mutating func update(_ conversation: Conversation) {
        for member in conversation.members where member.user != me {
            people[member.user] = Person(
                handle: PrintableText.escaped(member.handle), displayName: PrintableText.escaped(member.displayName),
                presence: people[member.user]?.presence)
        }
        var thread = threads[conversation.id] ?? ChatThread(id: conversation.id, members: [])
        thread.update(conversation, me: me)
        threads[conversation.id] = thread
    }

    private mutating func queued(_ ref: String, _ text: String, _ recipient: Recipient, now: Timestamp) -> ChatStep {
        let id: ConversationID? =
            switch recipient {
            case .conversation(let id): id
            case .user(let user): thread(with: user)
            }
        guard let id else { return ChatStep() }
        if threads[id] == nil { threads[id] = ChatThread(id: id, members: id.peer(of: me).map { [$0] } ?? []) }
        let shown = TerminalText.message(text)
        let entry = ChatEntry(ref: ref, sender: me, text: shown, at: now)
        threads[id]?.queued(entry)
        // The message itself says that the typing is over.
        if id == open { isTypingTold = false }
        var step = ChatStep.note(.progress(entry, to: title(of: id), tick: .waiting))
        if let outcome = early.removeValue(forKey: ref) {
            let next = received(outcome, now: now)
            step.notes += next.notes
            step.requests += next.requests
        }
        return step
    }

    mutating func opened(_ profile: Profile, now: Timestamp) -> ChatStep {
        remember(profile)
        guard let id = thread(with: profile.id) else { return .note(.problem("that is you")) }
        var step = ChatStep(requests: watchRequests())
        let shown = show(id, now: now)
        step.notes += shown.notes
        step.requests += shown.requests
        return step
    }

    private func describe(_ profile: Profile, now: Timestamp) -> [String] {
        var lines = ["@\(PrintableText.escaped(profile.handle))  \(PrintableText.escaped(profile.displayName))"]
        if !profile.about.isEmpty { lines.append("about: \(PrintableText.escaped(profile.about))") }
        if let presence = presence(of: profile.id, now: now) { lines.append(presence) }
        lines.append("id: \(profile.id)")
        return lines
    }

    private func describe(_ devices: [LinkedDevice], now: Timestamp) -> [String] {
        devices.map { device in
            let mark = device.isCurrent ? "this device" : "used \(ChatTime.ago(device.lastUsedAt, now: now))"
            let name = PrintableText.escaped(device.name)
            return "\(device.id)  \(name) (\(PrintableText.escaped(device.platform))), \(mark)"
        }
    }
}

extension OfflineReason {
    /// In words, for people.
    var words: String {
        switch self {
        case .requested: "not connected"
        case .displaced: "another connection of this device took over"
        case .loggedOut: "this device was logged out"
        case .replaced: "this device gave way to a new login, since you had too many devices"
        case .refused(let error): PrintableText.escaped(error.message)
        case .closed(let code, let reason): "closed by the relay (\(code)) \(PrintableText.escaped(reason))"
        }
    }
}
