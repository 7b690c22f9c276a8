public import BatonCore
import BatonProtocol
import NIOCore
import NIOHTTP1
import SwiftProtobuf

/// What REST tells a logged-in client.
extension BatonClient {
    /// The user's own profile.
    public func ownProfile() async throws(ClientError) -> Profile {
        try Profile.checked(try await authorized(.GET, "/v1/users/me", answer: WireProfile.self))
    }

    /// Changes the fields that are given.
    @discardableResult
    public func updateProfile(_ change: ProfileChange) async throws(ClientError) -> Profile {
        var wire = WireProfileChange()
        if let displayName = change.displayName { wire.displayName = displayName }
        if let about = change.about { wire.about = about }
        if let phone = change.phone { wire.phone = phone }
        if let email = change.email { wire.email = email }
        return try Profile.checked(
            try await authorized(.PATCH, "/v1/users/me", body: wire, answer: WireProfile.self))
    }

    /// A user by id.
    public func profile(of user: UserID) async throws(ClientError) -> Profile {
        try Profile.checked(try await authorized(.GET, "/v1/users/\(user)", answer: WireProfile.self))
    }

    /// A user by the name that people type.
    public func profile(handle: String) async throws(ClientError) -> Profile {
        let path = "/v1/users/@\(Self.escaped(handle))"
        return try Profile.checked(try await authorized(.GET, path, answer: WireProfile.self))
    }

    /// The conversations of the user, the latest first.
    public func conversations(limit: Int = 50, before: String? = nil) async throws(ClientError) -> ConversationPage {
        let cursor = before.map { "&before=\(Self.escaped($0))" } ?? ""
        let path = "/v1/conversations?limit=\(limit)\(cursor)"
        return ConversationPage(try await authorized(.GET, path, answer: WireConversationList.self))
    }

    /// The user wants to hear no more of another one: neither can write to the other, or see when the other is online or
    /// types.
    public func block(_ user: UserID) async throws(ClientError) {
        _ = try await authorized(.PUT, "/v1/blocks/\(user)", answer: WireErrorResponse.self)
    }

    /// Ends the block by this user; one by the other user stays.
    public func unblock(_ user: UserID) async throws(ClientError) {
        _ = try await authorized(.DELETE, "/v1/blocks/\(user)", answer: WireErrorResponse.self)
    }

    /// One conversation of the user, with its members and how far each has read.
    public func conversation(_ id: ConversationID) async throws(ClientError) -> Conversation {
        let wire = try await authorized(.GET, "/v1/conversations/\(id)", answer: WireConversation.self)
        guard let conversation = Conversation(wire) else { throw .badAnswer("a conversation called \(wire.id)") }
        return conversation
    }

    /// The latest messages of a conversation, ascending.
    public func history(of conversation: ConversationID, limit: Int = 50) async throws(ClientError) -> HistoryPage {
        try await history(conversation, "?limit=\(limit)")
    }

    /// The messages before one, ascending.
    public func history(before message: MessageID, limit: Int = 50) async throws(ClientError) -> HistoryPage {
        try await history(message.conversation, "?before=\(message.sequence)&limit=\(limit)")
    }

    /// The messages after one, ascending.
    public func history(after message: MessageID, limit: Int = 50) async throws(ClientError) -> HistoryPage {
        try await history(message.conversation, "?after=\(message.sequence)&limit=\(limit)")
    }

    /// The installations that are logged in as this user, this one among them.
    public func devices() async throws(ClientError) -> [LinkedDevice] {
        try await authorized(.GET, "/v1/devices", answer: WireDeviceList.self).devices.compactMap { LinkedDevice($0) }
    }

    /// The installations that are logged in as a user, for who knows the password and has none of them left. Those to be
    /// removed are logged out first.
    public func devices(
        handle: String, password: String, removing devices: [DeviceID] = []
    ) async throws(ClientError) -> [LinkedDevice] {
        var request = WireDevicesRequest()
        request.handle = handle
        request.password = password
        request.remove = devices.map(\.description)
        return try await rest.request(.POST, "/v1/devices", body: request, answer: WireDeviceList.self)
            .devices.compactMap { LinkedDevice($0) }
    }

    /// Logs a device out; its connections are closed on every node.
    public func revoke(_ device: DeviceID) async throws(ClientError) {
        _ = try await authorized(.DELETE, "/v1/devices/\(device)", answer: WireErrorResponse.self)
    }

    private func history(_ id: ConversationID, _ query: String) async throws(ClientError) -> HistoryPage {
        let wire = try await authorized(.GET, "/v1/conversations/\(id)/messages\(query)", answer: WireHistory.self)
        return HistoryPage(messages: wire.messages.compactMap { Message($0) }, hasMore: wire.more)
    }

    /// A request with the access token, which is refreshed once where it is refused.
    func authorized<Answer: SwiftProtobuf.Message>(
        _ method: HTTPMethod, _ path: String, body: (any SwiftProtobuf.Message)? = nil, answer: Answer.Type
    ) async throws(ClientError) -> Answer {
        guard let tokens else {
            guard configuration.tokenProvider != nil else { throw .notLoggedIn }
            return try await refreshed(method, path, body, answer)
        }
        do {
            return try await rest.request(
                method, path, body: body, accessToken: tokens.accessToken, answer: answer)
        } catch .refused(let error) where error.code == .tokenExpired || error.code == .unauthenticated {
            return try await refreshed(method, path, body, answer)
        }
    }

    /// A request with a fresh access token.
    private func refreshed<Answer: SwiftProtobuf.Message>(
        _ method: HTTPMethod, _ path: String, _ body: (any SwiftProtobuf.Message)?, _ answer: Answer.Type
    ) async throws(ClientError) -> Answer {
        let fresh: Tokens
        do {
            fresh = try await refresh().get()
        } catch {
            throw error as? ClientError ?? .unreachable(String(describing: error))
        }
        return try await rest.request(method, path, body: body, accessToken: fresh.accessToken, answer: answer)
    }

    /// Percent-encodes everything that is not certainly harmless in a path or query.
    private static func escaped(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let isHarmless =
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "-_.~".utf8.contains(byte)
            if isHarmless {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
