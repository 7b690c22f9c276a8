package import BatonCore
package import NIOCore

extension RedisClient: RevocationAnnouncer {
    package func announceRevoked(_ device: DeviceID, of user: UserID) async -> Bool {
        await publish(.revoked(device), to: .user(user)) != nil
    }
}

extension RedisClient: AcquaintanceAnnouncer {
    package func announceAcquaintance(of user: UserID, and other: UserID) async -> Bool {
        let one = await publish(.acquaintance(other), to: .user(user))
        let another = await publish(.acquaintance(user), to: .user(other))
        return one != nil && another != nil
    }
}

extension RedisClient: PresenceReader {
    package func presence(of users: [UserID]) async -> [UserID: Presence]? {
        let answer: [UserID: Presence]?? = await ask { loop, answer in
            loop.presence.presence(of: users, completion: answer)
        }
        return answer ?? nil
    }
}

extension RedisClient: SessionReader {
    package func connectedDevices(of user: UserID) async -> Set<DeviceID>? {
        guard let sessions = try? await sessions(of: user) else { return nil }
        return Set(sessions.map(\.device))
    }
}

/// What people look at: `baton inspect`, `top` and `doctor`.
extension RedisClient {
    /// The living nodes, nil where Redis cannot be reached, or not in time.
    package func nodes(within timeout: TimeAmount? = nil) async -> [NodeLease]? {
        let answer: [NodeLease]?? = await ask(within: timeout) { loop, answer in
            loop.nodes.nodes(completion: answer)
        }
        return answer ?? nil
    }

    /// What the server says about itself (`INFO`), nil where it does not, or not in time.
    package func information(within timeout: TimeAmount) async -> String? {
        let answer: Result<RedisValue, RedisError>? = await ask(within: timeout) { loop, answer in
            loop.commands.send(RedisCommand("INFO"), completion: answer)
        }
        guard case .success(let value) = answer else { return nil }
        return value.text
    }

    /// By how many milliseconds a clock is ahead of Redis', at least: a reply is as old as its way took, at most. Nil where Redis
    /// does not tell, or not in time.
    package func clockOffset(of clock: any CivilClock, within timeout: TimeAmount) async -> Int64? {
        let answer: (time: Int64, asked: Int64, answered: Int64)?? = await ask(within: timeout) { loop, answer in
            let asked = clock.now.milliseconds
            loop.commands.send(RedisCommand("TIME")) { result in
                guard case .success(.array(let parts)) = result, parts.count == 2,
                    let seconds = parts[0].text.flatMap({ Int64($0) }),
                    let micro = parts[1].text.flatMap({ Int64($0) }),
                    seconds.magnitude < 1 << 50
                else { return answer(nil) }
                answer((seconds * 1_000 + micro / 1_000, asked, clock.now.milliseconds))
            }
        }
        guard let (time, asked, answered) = answer ?? nil else { return nil }
        // Somewhere between the question and the answer Redis' clock showed that time.
        if time < asked { return asked - time }
        return time > answered ? answered - time : 0
    }

    /// A user's sessions, the oldest first; one that is no session of this version is left out.
    package func sessions(of user: UserID) async throws(RedisError) -> [Session] {
        let fields = try await run(RedisCommand("HGETALL", Keys.session(user))).array ?? []
        var sessions: [Session] = []
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            guard let device = fields[index].text.flatMap({ DeviceID($0) }), let text = fields[index + 1].text,
                let session = Session(user: user, device: device, text: text)
            else { continue }
            sessions.append(session)
        }
        return sessions.sorted { ($0.since, $0.device) < ($1.since, $1.device) }
    }

    /// How many connections are subscribed to a channel now.
    package func subscribers(of channel: BusChannel) async throws(RedisError) -> Int {
        let reply = try await run(RedisCommand("PUBSUB", "NUMSUB", Keys.channel(channel)))
        return Int(reply.array?.last?.integer ?? 0)
    }
}
