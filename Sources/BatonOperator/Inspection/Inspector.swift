package import BatonCore
package import BatonNode
import BatonProtocol
import BatonRedis
import BatonStore
import Foundation
package import Logging
import NIOCore
import NIOPosix

/// Joins what the store knows with what Redis knows, for `baton inspect`. Changes nothing.
package struct Inspector: Sendable {
    private let store: StoreInspector
    private let redis: RedisClient?

    /// Redis may be down, which is when people look: the report then says so and tells the rest.
    package static func open(_ configuration: NodeConfiguration, logger: Logger) async throws -> Inspector {
        let store = try StoreInspector(path: configuration.store.path)
        guard let name = NodeID("inspect") else { return Inspector(store: store, redis: nil) }
        let settings = RedisSettings(
            url: configuration.redis.url, trust: configuration.redis.tlsCA.map { .file($0) } ?? .system)
        let redis = try await RedisClient.start(
            on: [MultiThreadedEventLoopGroup.singleton.next()], node: name, settings: settings, logger: logger)
        guard await redis.waitUntilConnected(for: .seconds(Limits.Redis.connectSeconds)) else {
            await redis.close()
            return Inspector(store: store, redis: nil)
        }
        return Inspector(store: store, redis: redis)
    }

    package func close() async { await redis?.close() }

    // MARK: Questions

    /// - Parameter name: an id, or a handle with or without `@`.
    package func user(_ name: String) async throws -> InspectionReport? {
        guard let user = try found(name) else { return nil }
        var report = InspectionReport()
        report.fields = [
            ("user", .text(user.id.description)), ("handle", .text(user.handle)), ("name", .text(user.displayName)),
            ("created", Self.time(user.createdAt)), ("last_seen", Self.time(user.lastSeen)),
            ("epoch", .text(user.epoch.description)), ("inbox_head", .number(user.head)),
            ("inbox_truncated", .number(user.truncated)), ("inbox_waiting", .number(Int64(user.waiting))),
            ("conversations", .number(Int64(user.conversations))),
        ]
        let sessions = await live(of: user, in: &report)
        var devices = InspectionReport.Table(
            name: "devices",
            columns: ["device", "name", "platform", "cursor", "behind", "state", "node", "client", "connected"])
        for device in user.devices {
            let session = sessions.first { $0.device == device.id }
            devices.rows.append([
                .text(device.id.description), .text(device.name), .text(device.platform), .number(device.cursor),
                .number(max(0, user.head - device.cursor)), .text(Self.state(device)),
                session.map { .text($0.node.name) } ?? .none, session.map { .text($0.client) } ?? .none,
                Self.time(session?.since.milliseconds),
            ])
        }
        report.tables = [devices]
        return report
    }

    /// All nodes that hold a lease, or one of them.
    package func nodes(_ name: String?) async throws -> InspectionReport? {
        guard let redis, let leases = await redis.nodes() else { throw InspectionError.redisUnreachable }
        let wanted = leases.filter { name == nil || $0.node.name == name }
        if name != nil, wanted.isEmpty { return nil }
        var table = InspectionReport.Table(
            name: "nodes", columns: ["node", "address", "state", "connections", "incarnation", "since", "seconds"])
        for lease in wanted {
            table.rows.append([
                .text(lease.node.name), .text(lease.address), .text(lease.state.rawValue),
                .number(Int64(lease.connections)), .text(String(lease.incarnation)),
                Self.time(lease.since.milliseconds),
                .number((SystemClock().now.milliseconds - lease.since.milliseconds) / 1_000),
            ])
        }
        var report = InspectionReport()
        report.tables = [table]
        return report
    }

    /// The direct conversation of two users, by handle or id; nil where there is no such user.
    package func conversationID(between one: String, and other: String) throws -> ConversationID? {
        guard let one = try found(one), let other = try found(other) else { return nil }
        return ConversationID(between: one.id, and: other.id)
    }

    private func found(_ name: String) throws(StoreError) -> InspectedUser? {
        let handle = String(name.drop { $0 == "@" }).lowercased()
        if let id = UserID(name), let user = try store.user(id) { return user }
        return try store.user(handle: handle)
    }

    /// - Parameters:
    ///   - messages: how many of the last ones.
    ///   - showsContents: what they say, too.
    package func conversation(
        _ id: ConversationID, messages: Int, showsContents: Bool
    ) async throws -> InspectionReport? {
        guard let conversation = try store.conversation(id) else { return nil }
        var report = InspectionReport()
        report.fields = [
            ("conversation", .text(id.description)), ("kind", .text(id.isDirect ? "direct" : "group")),
            ("created", Self.time(conversation.createdAt)), ("last", .number(conversation.last)),
            ("last_at", Self.time(conversation.lastAt)), ("blocked", .flag(conversation.isBlocked)),
        ]
        let presence = await presence(of: conversation.members.map(\.user), in: &report)
        var members = InspectionReport.Table(
            name: "members", columns: ["user", "handle", "role", "delivered", "read", "online"])
        for member in conversation.members {
            members.rows.append([
                .text(member.user.description), .text(member.handle), .text(member.role), .number(member.delivered),
                .number(member.read), presence[member.user].map { .flag($0 == .online) } ?? .none,
            ])
        }
        report.tables = [members, try last(messages, of: conversation, showsContents: showsContents)]
        return report
    }

    private func last(
        _ count: Int, of conversation: InspectedConversation, showsContents: Bool
    ) throws(StoreError) -> InspectionReport.Table {
        var table = InspectionReport.Table(name: "messages", columns: ["message", "sender", "accepted", "bytes"])
        if showsContents { table.columns.append("content") }
        for entry in try store.lastMessages(of: conversation.id, limit: count) {
            let sender = conversation.members.first { $0.user == entry.sender }?.handle ?? entry.sender?.description
            var row: [InspectionReport.Value] = [
                .text("\(conversation.id).\(entry.sequence)"), sender.map { .text($0) } ?? .none, Self.time(entry.at),
                entry.payload.map { .number(Int64($0.count)) } ?? .none,
            ]
            if showsContents { row.append(Self.content(entry, of: conversation.id)) }
            table.rows.append(row)
        }
        return table
    }

    private static func content(_ entry: InspectedEntry, of id: ConversationID) -> InspectionReport.Value {
        guard let payload = entry.payload else { return .none }
        let sequence = ConversationSequence(rawValue: UInt64(clamping: entry.sequence))
        let stored = StoredMessage(
            id: MessageID(conversation: id, sequence: sequence), at: Timestamp(milliseconds: entry.at),
            payload: payload)
        guard let message = try? EventFrame.message(stored) else { return .text("(not readable)") }
        switch message.content.kind {
        case .text(let text): return .text(text)
        case .data(let data): return .text("(\(message.content.mediaType), \(data.count) bytes)")
        case nil: return .none
        }
    }

    package func message(_ id: MessageID) async throws -> InspectionReport? {
        guard let message = try store.message(id) else { return nil }
        var report = InspectionReport()
        report.fields = [
            ("message", .text(id.description)), ("sender", message.sender.map { .text($0.description) } ?? .none),
            ("accepted", Self.time(message.at)), ("bytes", message.bytes.map { .number(Int64($0)) } ?? .none),
            ("ref", message.refs.first.map { .text($0) } ?? .none),
        ]
        let presence = await presence(of: message.recipients.map(\.member.user), in: &report)
        var members = InspectionReport.Table(name: "members", columns: ["user", "handle", "tick", "online", "inbox"])
        var devices = InspectionReport.Table(
            name: "devices", columns: ["user", "device", "name", "cursor", "waiting"])
        for recipient in message.recipients {
            let member = recipient.member
            let isSender = member.user == message.sender
            members.rows.append([
                .text(member.user.description), .text(member.handle),
                .text(isSender ? "sender" : Self.tick(member, at: Int64(clamping: id.sequence.rawValue))),
                presence[member.user].map { .flag($0 == .online) } ?? .none,
                recipient.inboxSequence.map { .number($0) } ?? .none,
            ])
            for device in recipient.devices {
                // The inbox row goes when every active device has passed it.
                let isWaiting = recipient.inboxSequence.map { device.cursor < $0 && !device.isIdle } ?? false
                devices.rows.append([
                    .text(member.user.description), .text(device.id.description), .text(device.name),
                    .number(device.cursor), .flag(isWaiting),
                ])
            }
        }
        report.tables = [members, devices]
        return report
    }

    // MARK: Redis

    private func live(of user: InspectedUser, in report: inout InspectionReport) async -> [Session] {
        let presence = await presence(of: [user.id], in: &report)[user.id]
        report.fields.append(("online", presence.map { .flag($0 == .online) } ?? .none))
        guard let redis else { return [] }
        do throws(RedisError) {
            let subscribers = try await redis.subscribers(of: .user(user.id))
            report.fields.append(("subscribers", .number(Int64(subscribers))))
            return try await redis.sessions(of: user.id)
        } catch {
            report.warnings.append("Redis: \(error)")
            return []
        }
    }

    private func presence(of users: [UserID], in report: inout InspectionReport) async -> [UserID: Presence] {
        guard let redis, let presence = await redis.presence(of: users) else {
            report.warnings.append("Redis is not reachable: sessions and presence are unknown")
            return [:]
        }
        return presence
    }

    // MARK: Words

    private static func state(_ device: InspectedDevice) -> String {
        if device.isRevoked { return "revoked" }
        return device.isIdle ? "idle" : "active"
    }

    private static func tick(_ member: InspectedMember, at sequence: Int64) -> String {
        if member.read >= sequence { return "read" }
        return member.delivered >= sequence ? "delivered" : "accepted"
    }

    private static func time(_ milliseconds: Int64?) -> InspectionReport.Value {
        guard let milliseconds else { return .none }
        let date = Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
        return .text(date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }
}

/// Why nothing can be told at all.
package enum InspectionError: Error, CustomStringConvertible {
    case redisUnreachable

    package var description: String { "Redis is not reachable; it alone knows the nodes (redis.url)" }
}
