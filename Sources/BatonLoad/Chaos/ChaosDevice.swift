import BatonClient
import BatonCore

/// One device under test: a client of the SDK that sends, applies, reads, and writes down all of it.
struct ChaosDevice: Sendable {
    let index: Int
    let user: UserID
    let device: DeviceID
    /// Whom it writes to, and whose presence it watches.
    let peers: [UserID]
    /// All other users.
    let everybody: [UserID]
    let client: BatonClient
    let journal: DeviceJournal
    let progress: ChaosProgress
    let behaviour: ChaosBehaviour

    var history: HistoryFile { journal.history }

    // MARK: Applying

    /// Applies what comes until the client is closed. A line is written before the next event is asked for, that is
    /// before the device acknowledges.
    func apply() async {
        while let (event, inbox) = await client.nextEntry() {
            switch event {
            case .message(let message): await apply(message, at: inbox ?? 0)
            case .receipt(let receipt):
                history.append(
                    .receipt(
                        HistoryRecord.Receipt(
                            inbox: inbox ?? 0, conversation: receipt.conversation.description,
                            user: receipt.user.description, delivered: receipt.delivered.rawValue,
                            read: receipt.read.rawValue)))
                progress.received(receipt, on: index, of: user)
            case .accepted(let accepted):
                journal.accepted(accepted.ref, as: accepted.id)
                progress.accepted(accepted.id, from: user)
            case .rejected(let rejected):
                journal.rejected(rejected.ref, rejected.error.codeText)
                progress.failed()
            case .resync(let reason): history.append(.resync("\(reason)"))
            case .presence(let change):
                history.append(.presence(user: change.user.description, isOnline: change.isOnline))
            case .typing(let typing):
                history.append(
                    .typing(
                        conversation: typing.conversation.description, user: typing.user.description,
                        isActive: typing.isActive))
            case .caughtUp: break
            }
            await pauseWhereAsked()
        }
    }

    private func apply(_ message: Message, at inbox: UInt64) async {
        history.append(
            .applied(
                HistoryRecord.Applied(
                    inbox: inbox, conversation: message.id.conversation.description,
                    sequence: message.id.sequence.rawValue, device: message.device.description, ref: message.ref,
                    body: Self.number(in: message.content))))
        progress.applied(message, by: user, isOwn: message.device == device)
        let isLate = index % ChaosBehaviour.devicesPerLateReader == ChaosBehaviour.devicesPerLateReader - 1
        let every = isLate ? ChaosBehaviour.readEvery.late : ChaosBehaviour.readEvery.soon
        if message.sender != user, message.id.sequence.rawValue % every == 0 { await read(message.id) }
    }

    /// A slow reader: nothing more is taken from the client, until its window at the relay is full.
    private func pauseWhereAsked() async {
        guard let until = journal.takePause() else { return }
        history.append(.reading(false))
        try? await ContinuousClock().sleep(until: until)
        history.append(.reading(true))
    }

    /// Tells the relay that the user has read so far; written down only where it was told to somebody.
    @discardableResult
    func read(_ message: MessageID) async -> Bool {
        let began = history.now
        guard await client.markRead(message) else { return false }
        history.append(
            .read(conversation: message.conversation.description, sequence: message.sequence.rawValue), at: began)
        return true
    }

    /// Asks REST how much is unread. A node that does not answer is nothing to write down.
    func askUnread() async {
        guard let page = try? await client.conversations() else { return }
        for conversation in page.conversations {
            guard let own = conversation.members.first(where: { $0.user == user }) else { continue }
            history.append(
                .unread(
                    conversation: conversation.id.description, count: conversation.unread, read: own.read.rawValue,
                    last: conversation.lastMessage?.id.sequence.rawValue ?? 0))
        }
    }

    // MARK: The connection

    func watchConnection() async {
        for await state in await client.states() {
            if case .online = state {
                progress.connection(of: index, isOnline: true)
            } else {
                progress.connection(of: index, isOnline: false)
            }
            // Nobody but the device itself opens newer connections of it, and more often than a client comes back by
            // itself.
            if state == .offline(.displaced) { try? await client.connect() }
        }
    }

    /// The number of a message of a harness, whose bytes are all as they were sent.
    private static func number(in content: Content) -> UInt64? {
        guard case .text(let text) = content else { return nil }
        return HarnessText.number(in: text)
    }
}
