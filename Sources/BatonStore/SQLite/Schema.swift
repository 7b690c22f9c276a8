import BatonCore
import GRDB

/// The numbered, forward-only migrations of the SQLite engine, and which versions of Baton a store admits.
///
/// Users, devices, conversations and messages have a public 64-bit id and a small dense number (`num`). Rows that
/// change with every message refer to numbers and stand in narrow tables of their own, so that many of them share a
/// page: what a commit costs is the pages it touches. 64-bit ids are kept as signed integers of the same bits.
///
/// A store says two numbers: its version, which is that of the newest node that opened it, and the oldest version that
/// it admits. A migration only adds what older nodes do not notice, so both serve one store together. What older nodes
/// would misread is written only once they are no longer admitted; see `admitOnlyThisVersion`.
enum Schema {
    /// What this version of Baton makes of a store.
    static let version = steps.count

    struct State: Hashable {
        /// The newest migration that the store has; zero: it is empty.
        var version: Int
        /// Nodes of an older version do not open the store.
        var admits: Int
    }

    static func state(_ db: Database) throws -> State {
        guard try db.tableExists("store") else { return State(version: 0, admits: 0) }
        guard try db.columns(in: "store").contains(where: { $0.name == "admits" }) else {
            // Nodes of version 1 keep their migrations in a table of GRDB's, and refuse all that they do not know.
            let others = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM \(versionOneTable) WHERE identifier <> '1'")
            return others == 0 ? State(version: 1, admits: 1) : State(version: .max, admits: .max)
        }
        let row = try Row.fetchOne(db, sql: "SELECT version, admits FROM store")
        return State(version: row?["version"] ?? 1, admits: row?["admits"] ?? 1)
    }

    /// Carries out the migrations that the store does not have, each in a transaction.
    ///
    /// - Parameter last: the newest one to carry out; for tests.
    static func migrate(_ queue: DatabaseQueue, now: Int64, to last: Int = version) throws {
        let present = try queue.inDatabase(state).version
        for number in steps.indices where number >= present && number < last {
            try queue.inTransaction { db in
                try steps[number](db, now)
                return .commit
            }
        }
    }

    /// Ends an upgrade: nodes of older versions do not open the store any more, and rows that they would misread may be
    /// written. To be called only while no other process has the store open.
    static func admitOnlyThisVersion(_ db: Database) throws {
        try db.execute(sql: "UPDATE store SET admits = ?", arguments: [version])
        // What nodes of version 1 look at: a migration that they do not know.
        try db.execute(sql: "INSERT OR IGNORE INTO \(versionOneTable) VALUES ('2')")
    }

    private static let versionOneTable = "grdb_migrations"

    private static let steps: [@Sendable (_ db: Database, _ now: Int64) throws -> Void] = [
        { db, now in
            try db.execute(sql: "CREATE TABLE \(versionOneTable) (identifier TEXT NOT NULL PRIMARY KEY)")
            try db.execute(sql: "INSERT INTO \(versionOneTable) VALUES ('1')")
            try db.execute(sql: version1)
        },
        { db, now in
            // A node of version 1 may have died before it wrote the row.
            try db.execute(
                sql: "INSERT INTO store (id, created_at) SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM store)",
                arguments: [Int64.random(in: .min ... .max), now])
            try db.execute(sql: version2)
            // The default counts also for devices that a node of version 1 makes.
            let first = Int64(bitPattern: ConnectionGeneration.first.rawValue)
            try db.execute(sql: "ALTER TABLE cursors ADD COLUMN connections INTEGER NOT NULL DEFAULT \(first)")
        },
    ]

    /// Tables that the integrity check goes through.
    static let tables = [
        "store", "users", "inboxes", "devices", "cursors", "refresh_tokens", "blocks", "conversations", "members",
        "messages", "refs", "inbox",
    ]

    private static let version1 = """
        -- One row: which store this is.
        CREATE TABLE store (
            id INTEGER NOT NULL,
            created_at INTEGER NOT NULL
        );
        CREATE TABLE users (
            num INTEGER PRIMARY KEY,
            id INTEGER NOT NULL UNIQUE,
            handle TEXT NOT NULL UNIQUE,
            display_name TEXT NOT NULL,
            about TEXT NOT NULL,
            phone TEXT UNIQUE,
            email TEXT UNIQUE,
            password_hash TEXT NOT NULL,
            epoch INTEGER NOT NULL,      -- of the user's inbox
            created_at INTEGER NOT NULL, -- all times: milliseconds since 1970
            last_seen INTEGER
        );
        -- Each user's inbox: its last position, up to where it is gone, and how many active devices follow it.
        CREATE TABLE inboxes (
            user INTEGER PRIMARY KEY,
            head INTEGER NOT NULL,
            truncated INTEGER NOT NULL,
            devices INTEGER NOT NULL
        );
        CREATE TABLE devices (
            num INTEGER PRIMARY KEY,
            id INTEGER NOT NULL UNIQUE,
            user INTEGER NOT NULL,
            name TEXT NOT NULL,
            platform TEXT NOT NULL,
            created_at INTEGER NOT NULL
        );
        CREATE INDEX devices_by_user ON devices (user);
        -- How far each device has acknowledged its user's inbox.
        CREATE TABLE cursors (
            device INTEGER PRIMARY KEY,
            position INTEGER NOT NULL,
            state INTEGER NOT NULL,      -- 0 active, 1 idle (holds nothing back), 2 revoked
            last_used INTEGER NOT NULL
        );
        CREATE TABLE refresh_tokens (
            hash BLOB PRIMARY KEY,
            device INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            rotated_at INTEGER,          -- when it was exchanged, for
            successor BLOB               -- the token of this hash
        ) WITHOUT ROWID;
        CREATE INDEX refresh_tokens_by_device ON refresh_tokens (device);
        CREATE TABLE blocks (
            user INTEGER NOT NULL,
            other INTEGER NOT NULL,      -- whom the user blocked
            PRIMARY KEY (user, other)
        ) WITHOUT ROWID;
        -- A direct conversation has its two users' ids in high and low, a group zero and its own id.
        CREATE TABLE conversations (
            num INTEGER PRIMARY KEY,
            high INTEGER NOT NULL,
            low INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            last INTEGER NOT NULL,         -- the last message's sequence
            last_at INTEGER NOT NULL,
            last_message INTEGER NOT NULL, -- its number
            blocked INTEGER NOT NULL       -- how many of the two users block the other
        );
        CREATE UNIQUE INDEX conversations_by_id ON conversations (high, low);
        CREATE TABLE members (
            conversation INTEGER NOT NULL,
            user INTEGER NOT NULL,
            role TEXT NOT NULL,
            delivered INTEGER NOT NULL,
            read INTEGER NOT NULL,
            sent INTEGER NOT NULL,         -- the user's own messages
            sent_read INTEGER NOT NULL,    -- those of them up to `read`
            PRIMARY KEY (conversation, user)
        ) WITHOUT ROWID;
        CREATE INDEX members_by_user ON members (user);
        -- Appended in the order of commits, so that a batch fills few pages. A conversation is a chain through
        -- `previous`; every 32nd of its messages is in an index, from where a page of history is walked.
        CREATE TABLE messages (
            num INTEGER PRIMARY KEY,
            conversation INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            sender INTEGER NOT NULL,
            sent INTEGER NOT NULL,         -- the sender's running count of own messages here
            previous INTEGER NOT NULL,
            at INTEGER NOT NULL,
            payload BLOB,                  -- NULL where the content is gone
            digest INTEGER                 -- of a payload that is gone
        );
        CREATE UNIQUE INDEX messages_by_32 ON messages (conversation, sequence) WHERE sequence % 32 = 0;
        -- Which message a device called by which name.
        CREATE TABLE refs (
            device INTEGER NOT NULL,
            ref TEXT NOT NULL,
            message INTEGER NOT NULL,
            PRIMARY KEY (device, ref)
        ) WITHOUT ROWID;
        -- The events that some active device has not yet acknowledged.
        CREATE TABLE inbox (
            user INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            conversation INTEGER NOT NULL,
            member INTEGER NOT NULL,       -- the sender, or whose watermarks
            message INTEGER,               -- NULL for a receipt
            position INTEGER NOT NULL,     -- the message's sequence, or the delivered watermark
            read INTEGER,                  -- of a receipt
            at INTEGER,                    -- of a receipt
            PRIMARY KEY (user, sequence)
        ) WITHOUT ROWID;
        """

    private static let version2 = """
        -- Which version's migrations the store has, and nodes of which versions may use it.
        ALTER TABLE store ADD COLUMN version INTEGER NOT NULL DEFAULT 2;
        ALTER TABLE store ADD COLUMN admits INTEGER NOT NULL DEFAULT 1;
        -- Of an event that is neither a message nor a receipt: its field in the message Event of relay.proto, and that
        -- field's bytes. A node passes on what it does not know.
        ALTER TABLE inbox ADD COLUMN kind INTEGER;
        ALTER TABLE inbox ADD COLUMN body BLOB;
        -- Why a device was revoked; see RevocationReason. Nodes of version 1 do not say.
        ALTER TABLE devices ADD COLUMN revoked_for INTEGER NOT NULL DEFAULT 0;
        -- Where a device logged in or refreshed last; see NetworkMark.
        ALTER TABLE devices ADD COLUMN network INTEGER;
        -- Phone numbers and email addresses are not verified, so several users may have the same: without UNIQUE.
        CREATE TABLE users_2 (
            num INTEGER PRIMARY KEY,
            id INTEGER NOT NULL UNIQUE,
            handle TEXT NOT NULL UNIQUE,
            display_name TEXT NOT NULL,
            about TEXT NOT NULL,
            phone TEXT,
            email TEXT,
            password_hash TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            last_seen INTEGER
        );
        INSERT INTO users_2 SELECT num, id, handle, display_name, about, phone, email, password_hash, epoch, created_at,
            last_seen FROM users;
        DROP TABLE users;
        ALTER TABLE users_2 RENAME TO users;
        """
}
