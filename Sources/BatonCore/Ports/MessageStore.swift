/// The durable store of messages and inboxes. SQLite implements it, and tests use a version in memory; one conformance
/// suite checks both.
///
/// What it promises:
/// - An outcome that is no failure is on disk when the completion is called. It survives a loss of power.
/// - Operations of one submission are carried out in their order. Authorisation is decided inside the transaction.
/// - A user's inbox sequence and a conversation's sequence are dense, also when several processes write.
/// - Several processes of one host may use one store at the same time.
///
/// What it does not promise: an order between submissions of different callers; or that a failed submission was not
/// carried out. A commit may report a failure after it reached the disk, so a retry with the same ref is safe.
public protocol MessageStore: Sendable {
    /// Queues operations for the next commit. Never blocks, keeps the order, and calls `completion` once, on a thread
    /// of the store, with one outcome an operation.
    ///
    /// Where the queue is full (`Limits.Store.queuedOperations`), all outcomes are `.failed(.overloaded)` at once.
    func submit(_ operations: [StoreOperation], completion: @escaping @Sendable ([StoreOutcome]) -> Void)

    /// The same, for who wants to know in which commit the outcomes were. A store that does not count its commits, and a
    /// submission that failed, have none to tell.
    func submitStamped(
        _ operations: [StoreOperation], completion: @escaping @Sendable ([StoreOutcome], CommitStamp?) -> Void)

    /// Reads a user's inbox behind a position, oldest first.
    ///
    /// - Parameters:
    ///   - limit: events at most. At least one is returned where there is one, whatever it costs.
    ///   - bytes: sum of `InboxEvent.cost` at most.
    func readInbox(
        of user: UserID, after position: InboxSequence, limit: Int, bytes: Int,
        completion: @escaping @Sendable (Result<InboxPage, StoreError>) -> Void)

    /// How a device stands to its user's inbox. `nil` where the device is unknown or revoked. For when `connect` cannot
    /// be carried out: it writes nothing, and where the device is idle, which only a `connect` ends, it fails.
    func inboxState(
        of user: UserID, device: DeviceID,
        completion: @escaping @Sendable (Result<InboxState?, StoreError>) -> Void)

    /// The last inbox sequence of each of the users, in one query: what the backstop compares with what was sent.
    /// Unknown users are left out.
    func inboxHeads(
        of users: [UserID],
        completion: @escaping @Sendable (Result<[UserID: InboxSequence], StoreError>) -> Void)

    /// Of each of the devices the number of its newest connection, in one query; of one that is revoked or unknown none. What
    /// somebody says of a device, who may lie or be late, is held against it.
    func newestConnections(
        of devices: [DeviceID],
        completion: @escaping @Sendable (Result<[DeviceID: ConnectionGeneration], StoreError>) -> Void)
}

extension MessageStore {
    public func submitStamped(
        _ operations: [StoreOperation], completion: @escaping @Sendable ([StoreOutcome], CommitStamp?) -> Void
    ) {
        submit(operations) { completion($0, nil) }
    }
}

/// Which commit of a process carried a submission out; the last one where it took several.
public struct CommitStamp: Hashable, Sendable {
    /// Counts the process' commits.
    public let number: UInt64
    /// What it carried, of all callers.
    public let operations: Int
    /// From asking for the turnstile to passing it.
    public let waited: Duration
    /// From there to the operations' being carried out, before the commit.
    public let executed: Duration
    /// The commit itself, with its sync.
    public let committed: Duration
    /// When it was over, in nanoseconds of the host's monotonic clock.
    public let endedAt: UInt64

    public init(
        number: UInt64, operations: Int, waited: Duration, executed: Duration, committed: Duration, endedAt: UInt64
    ) {
        self.number = number
        self.operations = operations
        self.waited = waited
        self.executed = executed
        self.committed = committed
        self.endedAt = endedAt
    }
}

/// One thing to be carried out in a commit.
public enum StoreOperation: Hashable, Sendable {
    case send(SendRequest)
    case acknowledge(AcknowledgeRequest)
    case read(ReadRequest)
    case connect(ConnectRequest)
}

/// What became of an operation; the case tells which kind it was.
///
/// Events come by user, in the order of ids; those of an acknowledgement in the order in which its conversations first had a
/// message there.
public enum StoreOutcome: Hashable, Sendable {
    case sent(AcceptedMessage)
    case acknowledged(events: [InboxEvent])
    case markedRead(events: [InboxEvent])
    case connected(InboxState, ConnectionGeneration)
    /// The operation is against the rules; trying it again changes nothing.
    case refused(Refusal)
    /// The store could not do it; the same operation may be tried again.
    case failed(StoreError)
}

/// A message to be stored.
public struct SendRequest: Hashable, Sendable {
    public let sender: UserID
    public let device: DeviceID
    /// The sender's name for this message: the same ref of the same device is the same message, for 30 days.
    public let ref: String
    public let target: Target
    /// See `StoredMessage.payload`.
    public let payload: [UInt8]
    public let at: Timestamp
    /// The sender has done too much of this: such a message is refused, unless it is a retry.
    public var refusing: SendNovelty = []

    public enum Target: Hashable, Sendable {
        case conversation(ConversationID)
        /// The direct conversation with this user, which is made where there is none.
        case user(UserID)
    }

    public init(
        sender: UserID, device: DeviceID, ref: String, target: Target, payload: [UInt8], at: Timestamp
    ) {
        self.sender = sender
        self.device = device
        self.ref = ref
        self.target = target
        self.payload = payload
        self.at = at
    }
}

public struct AcceptedMessage: Hashable, Sendable {
    public let id: MessageID
    public let at: Timestamp
    /// True if the message was accepted before. This is the first outcome again, and `events` is empty.
    public let isRepeat: Bool
    /// The events put into inboxes: one for each recipient, and one for the sender if the sender has other devices.
    public let events: [InboxEvent]
    /// Only for a repeat: the current last position of each inbox that holds the message. The node that accepted it
    /// first may have died before it published a hint.
    public let heads: [UserID: InboxSequence]
    /// Whether the message opened a conversation or went to a stranger. Empty for a repeat.
    public let novelty: SendNovelty
    /// Users who become acquaintances of the sender, because this message is the first answer to them.
    public let newAcquaintances: [UserID]

    public init(
        id: MessageID, at: Timestamp, isRepeat: Bool, events: [InboxEvent], heads: [UserID: InboxSequence] = [:],
        novelty: SendNovelty = [], newAcquaintances: [UserID] = []
    ) {
        self.novelty = novelty
        self.id = id
        self.at = at
        self.isRepeat = isRepeat
        self.events = events
        self.heads = heads
        self.newAcquaintances = newAcquaintances
    }
}

/// A device has everything of its user's inbox up to a position. Cumulative; an older one changes nothing.
/// The user's delivered watermarks follow from the messages it covers; each that moves is an event for its sender.
public struct AcknowledgeRequest: Hashable, Sendable {
    public let user: UserID
    public let device: DeviceID
    public let position: InboxSequence
    public let at: Timestamp

    public init(user: UserID, device: DeviceID, position: InboxSequence, at: Timestamp) {
        self.user = user
        self.device = device
        self.position = position
        self.at = at
    }
}

/// A user has read a conversation up to a sequence, which implies that it was delivered.
public struct ReadRequest: Hashable, Sendable {
    public let user: UserID
    public let device: DeviceID
    public let conversation: ConversationID
    public let sequence: ConversationSequence
    public let at: Timestamp

    public init(
        user: UserID, device: DeviceID, conversation: ConversationID, sequence: ConversationSequence, at: Timestamp
    ) {
        self.user = user
        self.device = device
        self.conversation = conversation
        self.sequence = sequence
        self.at = at
    }
}

/// A device has a new connection. It counts the device's connections, writes down that the device is used, and where it
/// was idle lets its user's inbox wait for it again.
public struct ConnectRequest: Hashable, Sendable {
    public let user: UserID
    public let device: DeviceID
    public let at: Timestamp

    public init(user: UserID, device: DeviceID, at: Timestamp) {
        self.user = user
        self.device = device
        self.at = at
    }
}

/// Why an operation is against the rules.
public enum Refusal: Hashable, Sendable {
    /// There is no such conversation, or the user is no member of it: the two are not told apart.
    case unknownConversation
    /// The user to be written to does not exist.
    case unknownUser
    /// One of the two users of a direct conversation blocked the other.
    case blocked
    /// A user cannot write to themselves.
    case sameUser
    /// The ref was used by this device for another message.
    case refReused(first: MessageID)
    /// The position is beyond the last one there is.
    case beyondLast(last: UInt64)
    /// The device was revoked, or is not the user's.
    case deviceRevoked(RevocationReason)
    /// The sender has done too much of this; see `SendRequest.refusing`.
    case limited(SendLimit)
}

public struct InboxState: Hashable, Sendable {
    public let epoch: Epoch
    /// The last event's position; zero where there was none yet.
    public let head: InboxSequence
    /// Events up to here are gone: a device that stands before it must resync through history.
    public let truncated: InboxSequence
    /// How far this device has acknowledged.
    public let cursor: InboxSequence

    public init(epoch: Epoch, head: InboxSequence, truncated: InboxSequence, cursor: InboxSequence) {
        self.epoch = epoch
        self.head = head
        self.truncated = truncated
        self.cursor = cursor
    }
}

public struct InboxPage: Hashable, Sendable {
    /// Ascending and without holes, beginning right behind the position asked for, unless that was truncated.
    public let events: [InboxEvent]
    /// Events up to here are gone.
    public let truncated: InboxSequence
    /// The inbox' last position when the page was read.
    public let head: InboxSequence

    public init(events: [InboxEvent], truncated: InboxSequence, head: InboxSequence) {
        self.events = events
        self.truncated = truncated
        self.head = head
    }
}

/// The store could not do what it was asked for. All of these may be tried again.
public enum StoreError: Error, Hashable, Sendable {
    /// Its queue is full.
    case overloaded
    /// The disk is full. Reads go on.
    case diskFull
    /// The medium failed, or the database is locked, unreachable or damaged. The text is for the log, not for clients.
    case unavailable(String)
    /// The store was closed.
    case closed
}
