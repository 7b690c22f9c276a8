import BatonClient
import BatonCore
import BatonHistory

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
            if let record = HistoryRecord.Event(event, at: inbox ?? 0) { history.append(record) }
            switch event {
            case .message(let message): await applied(message)
            case .receipt(let receipt): progress.received(receipt, on: index, of: user)
            case .accepted(let accepted):
                journal.accepted(accepted.ref, as: accepted.id)
                progress.accepted(accepted.id, from: user)
            case .rejected(let rejected):
                journal.rejected(rejected.ref, rejected.error.codeText)
                progress.failed()
            case .resync, .presence, .typing, .caughtUp: break
            }
            await pauseWhereAsked()
        }
    }

    private func applied(_ message: Message) async {
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
}
