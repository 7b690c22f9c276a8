import BatonCore

/// What each call does to the dictionaries.
extension InMemoryAccountStore.State {
    enum Successor {
        case given([UInt8])
        case stolen
        case unknown
    }

    /// What follows a token that has not ended.
    mutating func successor(
        of token: InMemoryAccountStore.Token, _ exchange: RefreshExchange
    ) -> Successor {
        guard let exchangedAt = token.exchangedAt, let successor = token.successor else {
            return .given(addSuccessor(of: token, exchange))
        }
        let isSoon =
            exchange.at.milliseconds - exchangedAt.milliseconds <= Limits.Account.refreshGraceSeconds * 1_000
        let isUnused = tokens[successor].map { $0.exchangedAt == nil } ?? false
        guard isSoon || isUnused else { return .stolen }
        guard exchange.successors.contains(successor) else {
            guard isUnused else { return .unknown }
            let next = addSuccessor(of: token, exchange)
            tokens[successor]?.exchangedAt = exchange.at
            tokens[successor]?.successor = next
            return .given(next)
        }
        if isUnused {
            for hash in [exchange.hash, successor] { tokens[hash]?.end(notBefore: exchange.expiresAt) }
        }
        return .given(successor)
    }

    private mutating func addSuccessor(
        of token: InMemoryAccountStore.Token, _ exchange: RefreshExchange
    ) -> [UInt8] {
        let successor = exchange.successors[0]
        tokens[exchange.hash]?.exchangedAt = token.exchangedAt ?? exchange.at
        tokens[exchange.hash]?.successor = successor
        tokens[exchange.hash]?.end(notBefore: exchange.expiresAt)
        tokens[successor] = InMemoryAccountStore.Token(device: token.device, expiresAt: exchange.expiresAt)
        return successor
    }

    mutating func replacePasswordHash(_ old: String, by new: String, of user: UserID) -> Bool {
        guard accounts[user]?.passwordHash == old else { return false }
        accounts[user]?.passwordHash = new
        return true
    }

    func activeDevices(of user: UserID) -> [Device] {
        installations.values.filter { $0.device.user == user && $0.revoked == nil }.map(\.device)
    }

    func networks(of user: UserID) -> Set<NetworkMark> {
        let trusted = installations.values.filter { installation in
            installation.device.user == user && installation.network != nil
                && [nil, .loggedOut, .replaced].contains(installation.revoked)
        }
        let latest = trusted.sorted {
            ($0.device.lastUsedAt, $0.device.createdAt) > ($1.device.lastUsedAt, $1.device.createdAt)
        }
        return Set(latest.prefix(Limits.Account.devicesKept).compactMap(\.network))
    }

    func standing(of device: DeviceID, of user: UserID) -> DeviceStanding {
        guard let found = installations[device], found.device.user == user else { return .unknown }
        return found.revoked.map { .revoked($0) } ?? .active
    }

    mutating func revoke(_ device: DeviceID, because reason: RevocationReason) {
        installations[device]?.revoked = reason
        tokens = tokens.filter { $1.device != device || $1.exchangedAt == nil }
    }

    /// Revokes those that have to give way; nil where too few can.
    mutating func makeRoom(
        of user: UserID, at now: Timestamp, connected: Set<DeviceID>?
    ) -> [DeviceID]? {
        let idle = now.advanced(byMilliseconds: -Int64(Limits.Store.idleDeviceDays) * 86_400_000)
        let all = activeDevices(of: user).sorted { ($0.lastUsedAt, $0.createdAt) < ($1.lastUsedAt, $1.createdAt) }
        let counting = all.filter { device in
            device.lastUsedAt >= idle && tokens.values.contains { $0.device == device.id && $0.expiresAt > now }
        }
        let uncounted = all.filter { !counting.contains($0) }
        let surplus = counting.count + 1 - Limits.Account.devicesPerUser
        let needed = max(surplus, all.count + 1 - Limits.Account.devicesKept)
        guard needed > 0 else { return [] }
        guard let connected else { return nil }
        let able = (surplus > 0 ? counting : uncounted + counting).filter { !connected.contains($0.id) }
        guard able.count >= needed else { return nil }
        for device in able.prefix(needed) { revoke(device.id, because: .replaced) }
        return able.prefix(needed).map(\.id)
    }

    func checkPair(_ user: UserID, _ other: UserID) throws(AccountError) {
        guard user != other else { throw .sameUser }
        guard accounts[user] != nil, accounts[other] != nil else { throw .notFound }
    }
}
