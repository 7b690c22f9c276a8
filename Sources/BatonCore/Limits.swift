/// Every bound of the relay: queues, windows, sizes, retries, timeouts. Each has a test at the bound.
///
/// Times are in the unit that their name says. What an operator may change is in the configuration, whose defaults
/// stand here.
public enum Limits {
    public enum Frame {
        /// Bytes of a client's message after unmasking, all fragments together.
        public static let messageBytes = 128 * 1024
        /// Fragments of one message; each costs a little whatever its size.
        public static let fragments = 256
        /// Levels of objects and arrays in JSON, and of groups in protobuf, those of unknown fields included.
        public static let nesting = 64
        /// Bytes of an HTTP request's head.
        public static let requestHeadBytes = 16 * 1024
        /// Bytes of a REST request's body: what fits into a frame of the default size fits into it.
        public static let requestBodyBytes = messageBytes
    }

    public enum Message {
        /// Bytes of a message's content.
        public static let contentBytes = 64 * 1024
        /// UTF-8 bytes of a ref.
        public static let refBytes = 64
        /// For how long a retry is recognised.
        public static let refDays = 30
    }

    /// What one user may send, with all devices, through all nodes. So much at once, and in each period again.
    public enum Sending {
        public static let messagesPerMinute = 1_200
        /// Of messages, as they are stored.
        public static let bytesPerMinute = 16 * 1024 * 1024
        public static let conversationsPerHour = 100
        /// Messages into conversations in which nobody else has written.
        public static let strangerMessagesPerHour = 200
        /// An event loop takes one of so many parts of a user's bucket of messages, or bytes, at once ...
        public static let shares = 16
        /// ... and of the buckets that people need rarely.
        public static let rareShares = 64
        /// One of so many parts may be spent through a node before the bucket has answered ...
        public static let credits = 8
        /// ... which its event loops divide, where they are more only among so many: each gives somebody who writes a
        /// little.
        public static let creditedLoops = 8
        /// What was spent on credit is owed, up to so many times what the bucket holds.
        public static let debts = 64
        /// After which a client may try again where the bucket's answer is awaited.
        public static let answerMilliseconds: Int64 = 100
        /// Users without a connection whose budgets an event loop keeps: they owe something, or send by REST.
        public static let absentUsers = 4_096
        /// For how long it does so after a message by REST.
        public static let keptSeconds: Int64 = 60
    }

    public enum Connection {
        /// Events written and not yet acknowledged.
        public static let windowEvents = 256
        /// Their bytes.
        public static let windowBytes = 1024 * 1024
        /// Sends that are being committed for one connection; reading stops until there is room.
        public static let sendsInFlight = 256
        /// Frames behind a `hello` that wait until the inbox is open; reading stops until then. What is read already may
        /// be a little more.
        public static let heldFrames = 64
        /// Their bytes.
        public static let heldBytes = 128 * 1024
        /// Bytes waiting in the socket's buffer above which it is not writable.
        public static let writeHighWatermark = 256 * 1024
        public static let writeLowWatermark = 64 * 1024
        /// Bytes waiting in the socket's buffer at which the connection is closed.
        public static let writeBufferBytes = 2 * 1024 * 1024
        /// How long an acknowledgement may wait for a commit that is made anyway. Nobody waits for it but the second
        /// tick, and a commit of its own would cost as much as a message's.
        public static let acknowledgementDelayMilliseconds: Int64 = 10
        /// From the TCP connection to a complete, authenticated request; and from there to `hello`.
        public static let handshakeSeconds: Int64 = 10
        /// How long a connection of plain requests may wait for its next one.
        public static let plainIdleSeconds: Int64 = 60
        /// From the head of a plain request to its end.
        public static let requestSeconds: Int64 = 30
        /// For an answer to leave, and one second more for each so many of its bytes.
        public static let answerSeconds: Int64 = 30
        public static let answerBytesPerSecond: Int64 = 4_096
        /// The client is asked for a sign of life after this much silence ...
        public static let pingSeconds: Int64 = 20
        /// ... and taken for dead after this much.
        public static let silenceSeconds: Int64 = 45
        /// Events wait and the client acknowledges none of them.
        public static let stalledReaderSeconds: Int64 = 30
        /// From our close frame to the client's.
        public static let closeSeconds: Int64 = 5
        /// Users whose presence one connection watches.
        public static let watchedUsers = 256
        /// UTF-8 bytes of what a client calls itself.
        public static let clientNameLength = 64
        /// Typing notices and watches forwarded to the bus a second.
        public static let ephemeralPerSecond = 20
        /// Pings and other control frames a client may send a second.
        public static let controlFramesPerSecond = 50
        /// Wrong frames after which the connection is closed.
        public static let wrongFrames = 16
    }

    /// How the SDK's clients come back.
    public enum Reconnect {
        /// The longest wait after the first failure; it doubles with each further one ...
        public static let firstWaitMilliseconds: Int64 = 250
        /// ... up to this ...
        public static let longestWaitSeconds: Int64 = 30
        /// ... but only up to this, while the trouble is not older than `earlySeconds`: most of it is over by then.
        public static let earlyWaitSeconds: Int64 = 5
        public static let earlySeconds: Int64 = 120
        /// A connection that lasts this long resets the backoff.
        public static let stableSeconds: Int64 = 10
        /// Between two attempts that are made before their time, because the user acts.
        public static let promptedSeconds: Int64 = 2
        /// How long a displaced client waits before it reconnects, plus or minus half of it at random.
        public static let displacedWaitSeconds: Int64 = 1
        /// A client that is displaced again within this time stays away, since the other client keeps reconnecting.
        public static let displacedAgainSeconds: Int64 = 60
    }

    public enum Node {
        public static let leaseSeconds: Int64 = 15
        /// By how much a node's clock may differ from Redis's clock. With a larger difference it admits no clients.
        public static let clockOffSeconds: Int64 = 10
        public static let leaseRenewSeconds: Int64 = 5
        /// Handshakes admitted a second; the excess gets `retryAfter` before any query is made for it.
        public static let admittedPerSecond = 2_000
        public static let connections = 100_000
        /// Connections of one address, an IPv4 address or a /64 network of IPv6.
        public static let connectionsPerAddress = 10_000
        /// Messages that came on no WebSocket and wait for the store, of one event loop.
        public static let submissions = 1_024
        /// Connections of plain requests.
        public static let plainConnections = 1_024
        /// Of one address.
        public static let plainConnectionsPerAddress = 128
        /// Those beyond, which have asked for nothing yet, or ask for health or a WebSocket.
        public static let reservedConnections = 128
        /// Of one address.
        public static let reservedConnectionsPerAddress = 8
        /// A bound that was not met for so long is over, and the log says so.
        public static let boundQuietSeconds: Int64 = 10
        /// Descriptors that a node keeps for the store, Redis and itself.
        public static let ownDescriptors = 128
        /// Without a tick, of one a second, for so long a process stood still; and for so long after that what it reads
        /// may be old.
        public static let standstillSeconds: Int64 = 5
        /// Connections told to go away a second, while evacuating.
        public static let evacuatedPerSecond = 500
        /// Within which an evacuation ends, whatever the clients do.
        public static let evacuationSeconds: Int64 = 30
        public static let backstopMinimumSeconds: Int64 = 25
        public static let backstopMaximumSeconds: Int64 = 40
        /// Between two sweeps while the bus carries no hints, and a sweep is what delivers.
        public static let blindBackstopSeconds: Int64 = 2
        /// ... but so many times as long as the last one took, so that sweeps of many users do not take all of the store.
        public static let blindBackstopRest: Int64 = 20
        /// For how long a hint may be on its way before what it would have told was missed.
        public static let hintDelayMilliseconds: Int64 = 1_000
        /// The same while the bus carries none: only those of this node's own commits are on their way.
        public static let ownHintDelayMilliseconds: Int64 = 100
        /// Users of one event loop whose hints could not be published and are told later; the backstop finds the rest.
        public static let unpublishedUsers = 65_536
        /// Claims about a device that wait while the store is asked about others.
        public static let claimsOfDevice = 8
        /// Drains that one event loop has under way; the others wait in line.
        public static let drainsInFlight = 64
    }

    /// How a node's canaries check that messages arrive.
    public enum Canary {
        /// Between two rounds of messages, before jitter.
        public static let periodSeconds = 5
        /// What is not delivered by then has failed. Above the lease's TTL and renewal, so that a node that died is
        /// gone from the list before it counts as one that cannot be reached.
        public static let boundSeconds = 20
        /// Other nodes that one round writes to; with more of them, a random choice.
        public static let peers = 8
        /// Messages on their way to one canary; while there are so many, no more are sent to it.
        public static let undelivered = 4
        /// Nodes that a reason names.
        public static let namedNodes = 16
        /// Messages that a conversation of canaries keeps, after a sweep.
        public static let keptMessages = 256
        /// After so long a canary connects anew, so that handshake and resumption are checked too.
        public static let connectionSeconds: Int64 = 3_600
    }

    public enum Presence {
        /// TTL of a presence key.
        public static let ttlSeconds: Int64 = 60
        /// Between two heartbeats of a node for its users, before jitter.
        public static let heartbeatSeconds: Int64 = 20
        /// TTL of a user's sessions.
        public static let sessionSeconds: Int64 = 75
        /// From the last connection's end to the announcement, so that a reconnect is not seen.
        public static let offlineDebounceSeconds: Int64 = 5
        /// Users who went offline while Redis was unreachable, and whom one event loop announces later.
        public static let unannouncedUsers = 65_536
        /// Watched users whose presence one event loop's sweep reads again in one second.
        public static let recheckedPerSecond = 1_024
        /// For how long a client shows a typing notice that is not repeated.
        public static let typingSeconds: Int64 = 6
        /// By how much the time of a typing notice may differ from the receiving node's clock. Others are not shown.
        public static let typingNoticeSeconds: UInt64 = 30
    }

    public enum Store {
        /// Operations waiting for a commit in one process.
        public static let queuedOperations = 16_384
        /// For how long one waits for its turn; then it is refused, and nothing of it has been done.
        public static let waitSeconds: Int64 = 5
        /// Bytes of the write-ahead log that are many: it is cut off when it can be, and told of while it cannot.
        public static let logBytes = 64 * 1024 * 1024
        /// Operations of one commit.
        public static let batchOperations = 512
        /// Reads waiting in one process.
        public static let queuedReads = 16_384
        /// Events of a page of an inbox.
        public static let pageEvents = 256
        /// Bytes of a page of an inbox.
        public static let pageBytes = 1024 * 1024
        /// Days that a device may be idle before its cursor no longer holds back its user's inbox.
        public static let idleDeviceDays = 45
        /// Rows of each kind that a process keeps in memory between transactions, and ids that each reader knows.
        public static let keptRows = 65_536
        /// For how long a commit may be under way before the node says that it is degraded.
        public static let stalledSeconds = 5
        /// Processes that tell each other in a store's file who they are.
        public static let peers = 64
        /// After so many looks, one a second, in which a process said nothing it does not count.
        public static let peerLooks = 5
        /// By how much the clocks of two processes of a host may differ and still be taken for the same.
        public static let clocksApartMilliseconds: Int64 = 5_000
        /// By how much a message's time may be ahead of its sender's node's clock so that it is not before the one before it.
        public static let timesAheadMilliseconds: Int64 = 10_000
        /// Users whose "last seen" waits for its batch; the presence registry has the others' anyway.
        public static let lastSeenUsers = 65_536
    }

    public enum Trace {
        /// Moments of messages that each event loop keeps, 64 bytes each.
        public static let events = 65_536
        public static let maximumEvents = 4_194_304
        /// Records that a loop looks at in one go, while somebody asks.
        public static let sliceEvents = 4_096
        /// Records of an answer.
        public static let entries = 1_024
        /// Messages, refs, commits and places in inboxes that are looked for at once, of each.
        public static let keys = 256
        /// Looks at the rings of a node that are under way at once.
        public static let looks = 4
        /// Files of a trace's folder that are read.
        public static let files = 1_024
    }

    public enum Account {
        /// Devices that a user has, those left out that are idle or whose refresh tokens have ended.
        public static let devicesPerUser = 16
        /// With those.
        public static let devicesKept = 64
        public static let handleBytes = 3...32
        public static let displayNameCharacters = 64
        public static let aboutCharacters = 256
        public static let passwordBytes = 8...256
        public static let emailBytes = 254
        public static let deviceNameCharacters = 64
        public static let platformCharacters = 32
        /// Unicode scalars of a text for each character that it may have, before and after it is put into form C.
        public static let scalarsPerCharacter = 4
        /// A text may come in so many times the bytes that it has in form C.
        public static let decomposedFactor = 4
        /// Combining marks in a row. To put them into order costs the square of their number. 30 is Unicode's own bound
        /// for text in streams. Source: <https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format>.
        public static let combiningMarks = 30
        public static let accessTokenMinutes = 15
        public static let refreshTokenDays = 45
        /// For how long an access token is taken after its end, since the clocks of nodes differ.
        public static let tokenLeewaySeconds: Int64 = 60
        /// For how long after its exchange a refresh token has the same successor again, though that was exchanged: the
        /// answer may have died with a node, or a client may have asked twice.
        public static let refreshGraceSeconds: Int64 = 60
        /// Passwords hashed at the same time in one process; each takes memory.
        public static let passwordHashes = 2
        /// Requests waiting for one of them.
        public static let queuedPasswordHashes = 64
    }

    public enum Page {
        public static let defaultItems = 50
        public static let maximumItems = 200
        /// Bytes of an answer that is a part of a list. Above those of the longest message, each byte of it escaped.
        public static let bytes = 512 * 1024
    }

    public enum Redis {
        public static let commandSeconds: Int64 = 2
        public static let connectSeconds: Int64 = 3
        public static let reconnectMinimumMilliseconds: Int64 = 100
        public static let reconnectMaximumMilliseconds: Int64 = 5_000
        /// Commands waiting for their replies on one connection.
        public static let pendingCommands = 16_384
        /// Bytes of those commands, as they were sent.
        public static let pendingBytes = 32 * 1024 * 1024
        /// Users or sessions of one batch; the next one follows when all of it is answered.
        public static let batchItems = 1_024
        /// Sessions of dead nodes removed by one call.
        public static let cleanUpSessions = 16_384
        /// Sessions whose removal failed and is tried again with the next renewal.
        public static let rememberedRemovals = 4_096
        /// Buckets of one process while Redis cannot be reached.
        public static let localBuckets = 10_000
        /// Bytes of one reply.
        public static let replyBytes = 16 * 1024 * 1024
        /// Between two liveness probes, and how long one may take.
        public static let probeSeconds: Int64 = 5
        /// A connection that is lost sooner counts as a failed attempt, so that the backoff grows.
        public static let steadySeconds: Int64 = 10
        /// A refused function counts as working again if it succeeds this long after its last refusal.
        public static let refusalQuietSeconds: Int64 = 5
        /// A refusal is forgotten if the function was not tried for this long.
        public static let refusalMemorySeconds: Int64 = 60
    }
}
