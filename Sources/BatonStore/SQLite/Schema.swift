import GRDB

/// The numbered, forward-only migrations of the SQLite engine.
///
/// Users, devices, conversations and messages have a public 64-bit id and a small dense number (`num`). Rows that
/// change with every message refer to numbers and stand in narrow tables of their own, so that many of them share a
/// page: what a commit costs is the pages it touches. 64-bit ids are kept as signed integers of the same bits.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator().disablingDeferredForeignKeyChecks()
        migrator.registerMigration("1") { db in try db.execute(sql: version1) }
        return migrator
    }

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
            rotated_at INTEGER,          -- set: presenting it again means it was stolen,
            successor BLOB               -- unless it is soon and this one was not used
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
            sent INTEGER NOT NULL,         -- how manieth of the sender in the conversation
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
}
