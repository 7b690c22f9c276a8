import BatonCore

/// `write_session.lua`: registers or renews a device's session.
struct WriteSession: RedisScript {
    static let file = ScriptFile.writeSession
    static let function = RedisFunction.sessions
    static let proves = true
    let session: Session
    /// What others are compared with: written are those whose connection is newer.
    var generation: ConnectionGeneration

    init(session: Session) {
        self.session = session
        generation = session.generation
    }

    var keys: [String] { [Keys.session(session.user)] }

    var arguments: [String] {
        [
            "\(session.device)", session.text, "\(generation)", "\(Limits.Presence.sessionSeconds)",
        ]
    }

    func outcome(of reply: RedisValue) -> SessionWriting? { reply.integer.flatMap(SessionWriting.init(rawValue:)) }
}

/// `remove_session.lua`: removes a device's session by compare.
struct RemoveSession: RedisScript {
    static let file = ScriptFile.removeSession
    static let function = RedisFunction.sessions
    static let proves = false
    let session: Session

    var keys: [String] { [Keys.session(session.user)] }
    var arguments: [String] { ["\(session.device)", session.text, session.owner] }

    func outcome(of reply: RedisValue) -> (remaining: Int, isHeldHere: Bool)? {
        guard let parts = reply.array, parts.count == 2, let remaining = parts[0].integer, let held = parts[1].integer
        else { return nil }
        return (Int(remaining), held == 1)
    }
}

/// `remove_dead_sessions.lua`: removes what a dead node wrote for a user.
struct RemoveDeadSessions: RedisScript {
    static let file = ScriptFile.removeDeadSessions
    static let function = RedisFunction.sessions
    static let proves = false
    let user: UserID
    let node: NodeID
    let incarnation: UInt64

    var keys: [String] { [Keys.session(user)] }
    var arguments: [String] { [Session.owner(node, incarnation: incarnation)] }

    func outcome(of reply: RedisValue) -> Int? { reply.integer.map(Int.init) }
}

/// `leave_presence.lua`: sets a user offline who has no session.
struct LeavePresence: RedisScript {
    static let file = ScriptFile.leavePresence
    static let function = RedisFunction.presence
    static let proves = false
    let user: UserID
    let now: Timestamp

    var keys: [String] { [Keys.session(user), Keys.presence(user), Keys.lastSeen(user)] }
    var arguments: [String] { [now.text] }

    func outcome(of reply: RedisValue) -> Bool? { reply.integer.map { $0 == 1 } }
}
