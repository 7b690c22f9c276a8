import BatonCore
import BatonProtocol

// How the ports' values look on the wire.

extension WireProfile {
    /// Everything: for the user themselves.
    init(own user: User) {
        self.init(public: user)
        phone = user.phone ?? ""
        email = user.email ?? ""
    }

    /// What every user may see.
    init(public user: User) {
        self.init()
        id = user.id.description
        handle = user.handle
        displayName = user.displayName
        about = user.about
        createdAtMs = UInt64(clamping: user.createdAt.milliseconds)
    }
}

extension WirePresenceUpdate {
    init(_ presence: Presence, of user: User) {
        self.init()
        self.user = user.id.description
        switch presence {
        case .online: online = true
        case .offline(let lastSeen):
            // The registry forgets, the store does not.
            lastSeenMs = UInt64(clamping: (lastSeen ?? user.lastSeen)?.milliseconds ?? 0)
        }
    }
}

extension WireDeviceInfo {
    init(_ device: Device, current: DeviceID?) {
        self.init()
        id = device.id.description
        name = device.name
        platform = device.platform
        createdAtMs = UInt64(clamping: device.createdAt.milliseconds)
        lastUsedAtMs = UInt64(clamping: device.lastUsedAt.milliseconds)
        self.current = device.id == current
    }
}

extension WireTokens {
    init(_ access: AccessToken, _ refresh: RefreshToken, user: UserID, device: DeviceID) {
        self.init()
        self.user = user.description
        self.device = device.description
        accessToken = access.text
        expiresInSeconds = access.lifetimeSeconds
        refreshToken = refresh.text
    }
}

extension WireConversation {
    init(_ summary: ConversationSummary) throws(APIError) {
        self.init()
        id = summary.id.description
        kind = summary.id.isDirect ? "direct" : "group"
        members = summary.members.map(WireMember.init)
        if let last = summary.last { lastMessage = try WireMessage(stored: last) }
        unread = UInt64(clamping: summary.unread)
        atMs = UInt64(clamping: summary.at.milliseconds)
    }
}

extension WireMember {
    init(_ member: ConversationMember) {
        self.init()
        user = member.user.description
        handle = member.handle
        displayName = member.displayName
        role = member.role.rawValue
        delivered = member.delivered.rawValue
        read = member.read.rawValue
    }
}

extension WireMessage {
    /// - Throws: where the store holds bytes that are no message.
    init(stored: StoredMessage) throws(APIError) {
        do {
            self = try EventFrame.message(stored)
        } catch {
            throw .internalError
        }
    }
}
