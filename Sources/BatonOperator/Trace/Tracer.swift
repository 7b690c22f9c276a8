import AsyncHTTPClient
import BatonCore
import BatonGateway
package import BatonNode
import BatonRedis
import BatonStore
import Foundation
package import Logging
import NIOCore
import NIOPosix

/// Tells one message's life, for `baton trace`: what the nodes remember, joined with the store and with Redis, which know
/// what has become of it. Changes nothing, and shows no content.
package struct Tracer: Sendable {
    private let store: StoreInspector
    private let redis: RedisClient?
    private let collector: TraceCollector
    private let http: HTTPClient
    /// Why the nodes themselves are not asked.
    private let tokenProblem: String?

    /// Redis may be down, and there may be no token: what can be told is told, and what is missing is said.
    package static func open(
        _ configuration: NodeConfiguration, environment: [String: String], logger: Logger
    ) async throws -> Tracer {
        let store = try StoreInspector(path: configuration.store.path)
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        var redis: RedisClient?
        if let name = NodeID("trace") {
            let settings = RedisSettings(
                url: configuration.redis.url, trust: configuration.redis.tlsCA.map { .file($0) } ?? .system)
            let client = try await RedisClient.start(on: [eventLoop], node: name, settings: settings, logger: logger)
            if await client.waitUntilConnected(for: .seconds(Limits.Redis.connectSeconds)) {
                redis = client
            } else {
                await client.close()
            }
        }
        let http = AdminClient.makeHTTP(on: MultiThreadedEventLoopGroup.singleton)
        let (token, problem) = Self.token(configuration, environment)
        let registry = redis
        let storePeers = configuration.storePeers
        let peers = token.map { token in
            AdminPeers(
                client: AdminClient(token: token, http: http), registry: { await registry?.nodes(within: $0) },
                storePeers: { storePeers })
        }
        return Tracer(
            store: store, redis: redis,
            collector: TraceCollector(peers: peers, folder: configuration.traceDirectory, storePeers: storePeers),
            http: http, tokenProblem: problem)
    }

    /// The environment's, or that of the nodes of this host.
    private static func token(
        _ configuration: NodeConfiguration, _ environment: [String: String]
    ) -> (AdminToken?, problem: String?) {
        if let text = environment[AdminToken.environmentName] {
            return (AdminToken(text), AdminToken(text) == nil ? "\(AdminToken.environmentName) is no token" : nil)
        }
        do throws(AdminTokenError) {
            return (try AdminTokenFile.load(path: configuration.adminTokenPath), nil)
        } catch {
            return (nil, "\(error)")
        }
    }

    package func close() async {
        await redis?.close()
        try? await http.shutdown()
    }

    /// - Parameter text: a ref or a message's id.
    package func trace(_ text: String) async throws -> TraceOutcome {
        let leases = await redis?.nodes(within: .seconds(1))
        var known = await collector.collect(text, [:], leases: leases)
        var refs: [InspectedRef] = []
        if let message = MessageID(text) {
            known.messages.insert(message)
        } else {
            refs = try store.messages(ref: text, limit: Limits.Trace.keys)
            // A node that died before it told has no record of what the store took.
            known.messages.formUnion(refs.map(\.message))
        }
        var warnings = known.problems
        if leases == nil {
            warnings.append(
                "Redis is not reachable: who is online is unknown, and asked are the nodes that the store's file names")
        }
        if let tokenProblem { warnings.append("the nodes are not asked, only their files are read: \(tokenProblem)") }
        guard let id = known.messages.first, known.messages.count == 1 else {
            return several(text, known, refs, warnings)
        }
        let stored = try store.message(id)
        var places = known.places
        for recipient in stored?.recipients ?? [] {
            guard let place = recipient.inboxSequence, place > 0 else { continue }
            places[recipient.member.user, default: []].insert(InboxSequence(rawValue: UInt64(place)))
        }
        // The recipients' nodes know only places in inboxes, which the sender's node or the store has told by now.
        let collection = await collector.collect(id.description, places, leases: leases)
        let life = TracedLife(
            asked: text, id: id, stored: stored, users: try users(stored), collection: collection, places: places,
            sessions: await sessions(stored, &warnings))
        let isKnown = stored != nil || collection.lives.contains { $0.answer?.entries.isEmpty == false }
        return TraceOutcome(report: TraceReport(life).report(warnings), isKnown: isKnown)
    }

    private func several(
        _ text: String, _ known: TraceCollector.Collection, _ refs: [InspectedRef], _ warnings: [String]
    ) -> TraceOutcome {
        let entries = known.lives.contains { $0.answer?.entries.isEmpty == false }
        return TraceOutcome(
            report: TraceReport.several(text, known, refs).warned(warnings),
            isKnown: !known.messages.isEmpty || entries)
    }

    /// All devices, those included that are revoked.
    private func users(_ message: InspectedMessage?) throws(StoreError) -> [UserID: InspectedUser] {
        var users: [UserID: InspectedUser] = [:]
        for recipient in message?.recipients ?? [] {
            users[recipient.member.user] = try store.user(recipient.member.user)
        }
        return users
    }

    /// Nil where Redis cannot tell.
    private func sessions(_ message: InspectedMessage?, _ warnings: inout [String]) async -> [DeviceID: Session]? {
        guard let redis else { return nil }
        var sessions: [DeviceID: Session] = [:]
        for recipient in message?.recipients ?? [] {
            do throws(RedisError) {
                for session in try await redis.sessions(of: recipient.member.user) {
                    sessions[session.device] = session
                }
            } catch {
                warnings.append("Redis: \(error)")
                return nil
            }
        }
        return sessions
    }
}

/// What there is to print.
package struct TraceOutcome: Sendable {
    package let report: InspectionReport
    /// False: no node has seen it.
    package let isKnown: Bool
}

/// All that is known of one message.
struct TracedLife: Sendable {
    let asked: String
    let id: MessageID
    let stored: InspectedMessage?
    let users: [UserID: InspectedUser]
    let collection: TraceCollector.Collection
    let places: [UserID: Set<InboxSequence>]
    /// By device; nil where Redis could not tell.
    let sessions: [DeviceID: Session]?
}
