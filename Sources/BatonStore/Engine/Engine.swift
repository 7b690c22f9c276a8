import BatonCore
import GRDBSQLite

/// Carries out operations inside the transaction that the writer has begun. One thread, one connection.
///
/// It decides the rules on the truth, by reads, before it writes anything: a refused operation has changed nothing. An
/// error thrown here spoils the whole transaction.
struct Engine {
    let statements: HotStatements
    let connection: OpaquePointer
    var rows: WorkingSet

    init(connection: OpaquePointer, keptRows: Int) throws(SQLiteFailure) {
        self.connection = connection
        statements = try HotStatements(connection)
        rows = WorkingSet(statements: statements, keptRows: keptRows)
    }

    mutating func apply(_ operation: StoreOperation) throws(SQLiteFailure) -> StoreOutcome {
        switch operation {
        case .send(let request): try send(request)
        case .acknowledge(let request): try acknowledge(request)
        case .read(let request): try read(request)
        case .connect(let request): try connect(request)
        }
    }

    /// Puts a message into a user's inbox.
    mutating func deliver(
        _ message: StoredMessage, num: Int64, conversation: HotConversation, sender: Int64, to inbox: HotInbox
    ) throws(SQLiteFailure) -> InboxEvent {
        inbox.head += 1
        rows.changed(inbox)
        if inbox.devices > 0 {
            try statements.insertInboxMessage.run(
                inbox.user, inbox.head, conversation.num, sender, num, Int64(message.id.sequence.rawValue))
        } else {
            // Nobody is there to fetch it: a device that comes later begins at the head.
            inbox.isToTrim = true
        }
        return InboxEvent(user: inbox.id, sequence: InboxSequence(stored: inbox.head), body: .message(message))
    }

    /// Puts a member's watermarks into a user's inbox.
    mutating func notify(
        of member: HotMember, whose owner: UserID, in conversation: HotConversation, at now: Timestamp,
        to inbox: HotInbox
    ) throws(SQLiteFailure) -> InboxEvent {
        inbox.head += 1
        rows.changed(inbox)
        if inbox.devices > 0 {
            try statements.insertInboxReceipt.run(
                inbox.user, inbox.head, conversation.num, member.user, member.delivered, member.read,
                now.milliseconds)
        } else {
            inbox.isToTrim = true
        }
        let receipt = Receipt(
            conversation: conversation.id, user: owner, delivered: ConversationSequence(stored: member.delivered),
            read: ConversationSequence(stored: member.read), at: now)
        return InboxEvent(user: inbox.id, sequence: InboxSequence(stored: inbox.head), body: .receipt(receipt))
    }
}

extension PositionInLog {
    /// From a database's integer, which is never negative.
    init(stored: Int64) {
        self.init(rawValue: UInt64(bitPattern: stored))
    }
}
