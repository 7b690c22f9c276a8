import BatonCore

/// The hot rows of the running transaction, kept in memory, and rows kept from earlier transactions.
///
/// Rules are checked and counters change in memory. `flush` writes each changed row once, so a refused operation leaves
/// no trace and needs no savepoint, and a conversation with ten messages in a batch is written once.
///
/// The number of an id never changes and stays known across transactions. The rest of a row is valid only while no
/// other connection has committed (`PRAGMA data_version`). After a failed commit all rows are forgotten.
/// Source: <https://www.sqlite.org/pragma.html#pragma_data_version>.
struct WorkingSet {
    private let statements: HotStatements
    /// Rows of each kind that are kept between transactions.
    private let keptRows: Int
    private var cursors: [DeviceID: HotCursor] = [:]
    private var inboxes: [Int64: HotInbox] = [:]
    private var users: [UserID: Int64] = [:]
    private var conversations: [ConversationID: HotConversation] = [:]
    private var conversationsByNum: [Int64: HotConversation] = [:]
    private var dirtyCursors: [HotCursor] = []
    private var dirtyInboxes: [HotInbox] = []
    private var dirtyConversations: [HotConversation] = []
    private var dirtyMembers: [(conversation: Int64, member: HotMember)] = []
    /// Counts the states of the database that were seen; a row of an older one is read again.
    private var version: Int64 = 0
    private var dataVersion: Int64 = -1
    private(set) var lastMessage: Int64 = 0
    #if DEBUG
        var plantedBug: PlantedBug?
    #endif

    init(statements: HotStatements, keptRows: Int) {
        self.statements = statements
        self.keptRows = keptRows
    }

    /// To be called first in each transaction.
    mutating func begin() throws(SQLiteFailure) {
        _ = try statements.dataVersion.step()
        let current = statements.dataVersion.integer(0)
        statements.dataVersion.reset()
        guard current != dataVersion else { return }
        dataVersion = current
        version += 1
        _ = try statements.lastMessage.step()
        lastMessage = statements.lastMessage.integer(0)
        statements.lastMessage.reset()
    }

    /// After a transaction that failed, or one that went past the working set.
    mutating func forget() {
        #if DEBUG
            let bug = plantedBug
            defer { plantedBug = bug }
        #endif
        self = WorkingSet(statements: statements, keptRows: keptRows)
    }

    /// After a commit: keeps memory bounded.
    mutating func ended() {
        if max(cursors.count, inboxes.count, users.count, conversations.count) > keptRows { forget() }
    }

    mutating func takeMessageNum() -> Int64 {
        lastMessage += 1
        return lastMessage
    }

    // MARK: Rows

    /// A device of a user; nil where the user has no such device. It may be revoked.
    mutating func cursor(_ device: DeviceID, of user: UserID) throws(SQLiteFailure) -> HotCursor? {
        let cursor: HotCursor
        if let known = cursors[device] {
            cursor = known
        } else {
            let query = statements.device
            query.bind(1, Int64(bitPattern: device.rawValue))
            guard try query.step() else {
                query.reset()
                return nil
            }
            cursor = HotCursor(
                device: query.integer(0), user: query.integer(1),
                owner: UserID(rawValue: UInt64(bitPattern: query.integer(2))), version: -1)
            query.reset()
            cursors[device] = cursor
            users[cursor.owner] = cursor.user
        }
        guard cursor.owner == user else { return nil }
        if cursor.version != version {
            let query = statements.cursor
            query.bind(1, cursor.device)
            if try query.step() {
                cursor.position = query.integer(0)
                cursor.state = DeviceState(rawValue: query.integer(1)) ?? .revoked
                cursor.lastUsed = query.integer(2)
                cursor.connections = query.integer(3)
            } else {
                cursor.state = .revoked
            }
            query.reset()
            cursor.version = version
        }
        return cursor
    }

    /// Why a device was revoked; nil where it was not.
    func revocation(of cursor: HotCursor) throws(SQLiteFailure) -> RevocationReason? {
        guard cursor.state == .revoked else { return nil }
        let query = statements.revocation
        query.bind(1, cursor.device)
        defer { query.reset() }
        return try query.step() ? RevocationReason(stored: query.integer(0)) : .loggedOut
    }

    mutating func userNum(_ id: UserID) throws(SQLiteFailure) -> Int64? {
        if let num = users[id] { return num }
        let query = statements.userByID
        query.bind(1, Int64(bitPattern: id.rawValue))
        let num = try query.step() ? query.integer(0) : nil
        query.reset()
        if let num { users[id] = num }
        return num
    }

    /// The epoch of the inbox of a user who is known to exist. Asked once a connection, so it is not kept.
    func epoch(of user: Int64) throws(SQLiteFailure) -> Epoch {
        let query = statements.epoch
        query.bind(1, user)
        let epoch = try query.step() ? query.integer(0) : 0
        query.reset()
        return Epoch(rawValue: UInt64(bitPattern: epoch))
    }

    /// The inbox of a user who is known to exist.
    mutating func inbox(_ user: Int64) throws(SQLiteFailure) -> HotInbox {
        let inbox: HotInbox
        if let known = inboxes[user] {
            inbox = known
        } else {
            let query = statements.userByNum
            query.bind(1, user)
            let id = try query.step() ? query.integer(0) : 0
            query.reset()
            inbox = HotInbox(user: user, id: UserID(rawValue: UInt64(bitPattern: id)), version: -1)
            inboxes[user] = inbox
        }
        if inbox.version != version {
            let query = statements.inbox
            query.bind(1, user)
            if try query.step() {
                inbox.head = query.integer(0)
                inbox.truncated = query.integer(1)
                inbox.devices = query.integer(2)
            }
            query.reset()
            inbox.version = version
        }
        return inbox
    }

    mutating func conversation(_ id: ConversationID) throws(SQLiteFailure) -> HotConversation? {
        if let known = conversations[id] { return try fresh(known) }
        let query = statements.conversationByID
        query.bind(1, Int64(bitPattern: id.high))
        query.bind(2, Int64(bitPattern: id.low))
        let num = try query.step() ? query.integer(0) : nil
        query.reset()
        guard let num else { return nil }
        return try fresh(remember(HotConversation(num: num, id: id, version: -1)))
    }

    mutating func conversation(num: Int64) throws(SQLiteFailure) -> HotConversation? {
        if let known = conversationsByNum[num] { return try fresh(known) }
        let query = statements.conversationByNum
        query.bind(1, num)
        let isThere = try query.step()
        let id = ConversationID(
            high: UInt64(bitPattern: query.integer(0)), low: UInt64(bitPattern: query.integer(1)))
        query.reset()
        guard isThere else { return nil }
        return try fresh(remember(HotConversation(num: num, id: id, version: -1)))
    }

    mutating func createConversation(
        _ id: ConversationID, members: [Int64], at now: Int64
    ) throws(SQLiteFailure) -> HotConversation {
        let query = statements.insertConversation
        query.bind(1, Int64(bitPattern: id.high))
        query.bind(2, Int64(bitPattern: id.low))
        query.bind(3, now)
        _ = try query.step()
        let num = query.integer(0)
        // A statement with RETURNING must be stepped to its end.
        while try query.step() {}
        query.reset()
        for member in members { try statements.insertMember.run(num, member) }
        return try fresh(remember(HotConversation(num: num, id: id, version: -1)))
    }

    private mutating func remember(_ conversation: HotConversation) -> HotConversation {
        conversations[conversation.id] = conversation
        conversationsByNum[conversation.num] = conversation
        return conversation
    }

    private func fresh(_ conversation: HotConversation) throws(SQLiteFailure) -> HotConversation {
        guard conversation.version != version else { return conversation }
        let query = statements.conversationState
        query.bind(1, conversation.num)
        _ = try query.step()
        #if DEBUG
            let known = conversation.last
        #endif
        conversation.last = query.integer(0)
        #if DEBUG
            if plantedBug == .sequenceOutsideLock, conversation.version >= 0 { conversation.last = known }
        #endif
        conversation.lastAt = query.integer(1)
        conversation.lastMessage = query.integer(2)
        conversation.isBlocked = query.integer(3) != 0
        query.reset()
        conversation.members.removeAll(keepingCapacity: true)
        let rows = statements.members
        rows.bind(1, conversation.num)
        while try rows.step() {
            conversation.members.append(
                HotMember(
                    user: rows.integer(0), delivered: rows.integer(1), read: rows.integer(2), sent: rows.integer(3),
                    sentRead: rows.integer(4)))
        }
        rows.reset()
        conversation.version = version
        return conversation
    }

    // MARK: Changes

    mutating func changed(_ cursor: HotCursor) {
        guard !cursor.isDirty else { return }
        cursor.isDirty = true
        dirtyCursors.append(cursor)
    }

    mutating func changed(_ inbox: HotInbox) {
        guard !inbox.isDirty else { return }
        inbox.isDirty = true
        dirtyInboxes.append(inbox)
    }

    mutating func changed(_ conversation: HotConversation) {
        guard !conversation.isDirty else { return }
        conversation.isDirty = true
        dirtyConversations.append(conversation)
    }

    mutating func changed(_ member: HotMember, in conversation: HotConversation) {
        guard !member.isDirty else { return }
        member.isDirty = true
        dirtyMembers.append((conversation.num, member))
    }

    /// Writes what has changed, each row once, in the order of the tables' keys so that neighbours share a page visit.
    mutating func flush() throws(SQLiteFailure) {
        dirtyConversations.sort { $0.num < $1.num }
        for row in dirtyConversations {
            try statements.updateConversation.run(row.num, row.last, row.lastAt, row.lastMessage)
            row.isDirty = false
        }
        dirtyMembers.sort { ($0.conversation, $0.member.user) < ($1.conversation, $1.member.user) }
        for (conversation, row) in dirtyMembers {
            try statements.updateMember.run(conversation, row.user, row.delivered, row.read, row.sent, row.sentRead)
            row.isDirty = false
        }
        dirtyCursors.sort { $0.device < $1.device }
        for row in dirtyCursors {
            try statements.updateCursor.run(
                row.device, row.position, row.state.rawValue, row.lastUsed, row.connections)
            row.isDirty = false
        }
        dirtyInboxes.sort { $0.user < $1.user }
        for row in dirtyInboxes {
            if row.isToTrim { try trim(row) }
            try statements.updateInbox.run(row.user, row.head, row.truncated, row.devices)
            row.isDirty = false
        }
        dirtyConversations.removeAll(keepingCapacity: true)
        dirtyMembers.removeAll(keepingCapacity: true)
        dirtyCursors.removeAll(keepingCapacity: true)
        dirtyInboxes.removeAll(keepingCapacity: true)
    }

    /// Removes the events that all active devices have passed. The inboxes of those who keep up stay nearly empty,
    /// and so all of them share few pages.
    private func trim(_ inbox: HotInbox) throws(SQLiteFailure) {
        inbox.isToTrim = false
        let query = statements.slowestCursor
        query.bind(1, inbox.user)
        let passed = try query.step() && !query.isNull(0) ? query.integer(0) : inbox.head
        query.reset()
        guard passed > inbox.truncated else { return }
        try statements.trim.run(inbox.user, passed)
        inbox.truncated = passed
    }
}
