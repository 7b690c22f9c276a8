import BatonCore

/// A conversation's row and its members', as the transaction sees them.
final class HotConversation {
    let num: Int64
    let id: ConversationID
    var last: Int64 = 0
    var lastAt: Int64 = 0
    var lastMessage: Int64 = 0
    var isBlocked = false
    var members: [HotMember] = []
    var isDirty = false
    /// The state of the database it was read in; see `WorkingSet`.
    var version: Int64

    init(num: Int64, id: ConversationID, version: Int64) {
        self.num = num
        self.id = id
        self.version = version
    }

    func member(_ user: Int64) -> HotMember? {
        members.first { $0.user == user }
    }
}

final class HotMember {
    let user: Int64
    var delivered: Int64
    var read: Int64
    var sent: Int64
    var sentRead: Int64
    var isDirty = false

    init(user: Int64, delivered: Int64 = 0, read: Int64 = 0, sent: Int64 = 0, sentRead: Int64 = 0) {
        self.user = user
        self.delivered = delivered
        self.read = read
        self.sent = sent
        self.sentRead = sentRead
    }
}

/// A user's inbox row.
final class HotInbox {
    let user: Int64
    let id: UserID
    var head: Int64 = 0
    var truncated: Int64 = 0
    /// Active ones.
    var devices: Int64 = 0
    var isDirty = false
    /// A device went on: events may have been passed by all.
    var isToTrim = false
    var version: Int64

    init(user: Int64, id: UserID, version: Int64) {
        self.user = user
        self.id = id
        self.version = version
    }
}

/// A device's cursor row.
final class HotCursor {
    let device: Int64
    let user: Int64
    let owner: UserID
    var position: Int64 = 0
    var state = DeviceState.active
    var lastUsed: Int64 = 0
    /// The number of the device's newest connection.
    var connections: Int64 = 0
    var isDirty = false
    var version: Int64

    init(device: Int64, user: Int64, owner: UserID, version: Int64) {
        self.device = device
        self.user = user
        self.owner = owner
        self.version = version
    }
}

enum DeviceState: Int64 {
    case active = 0
    /// Not used for `Limits.Store.idleDeviceDays`: it holds nothing back.
    case idle = 1
    case revoked = 2
}
