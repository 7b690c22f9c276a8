import BatonAPI
import BatonCore
import BatonGateway
import BatonProtocol
import Hummingbird
import Synchronization

/// `GET /admin/trace/<ref or message id>`: what this node knows of a message's life. Holds no content.
///
/// A look goes through all rings of the node, in slices. So many of them at the same time are enough for anybody.
final class TraceRoute: Sendable {
    private let trace: @Sendable (TraceKeys) async -> TraceAnswer
    private let underWay = Atomic<Int>(0)

    init(_ trace: @escaping @Sendable (TraceKeys) async -> TraceAnswer) {
        self.trace = trace
    }

    func add(to table: inout RouteTable, behind gate: AdminGate) {
        table.admin(.get, "trace/{what}", behind: gate) { request, context in
            let query = try TraceQuery(
                path: context.parameters.get("what") ?? "",
                places: request.uri.queryParameters["place"].map { String($0) })
            return try AdminAnswer.json(try await self.answer(query.keys))
        }
    }

    func answer(_ keys: TraceKeys) async throws(APIError) -> TraceAnswer {
        defer { underWay.wrappingSubtract(1, ordering: .relaxed) }
        guard underWay.wrappingAdd(1, ordering: .relaxed).newValue <= Limits.Trace.looks else {
            throw APIError(.overloaded, "too many ask for traces at once", retryAfterMilliseconds: 1_000)
        }
        return await trace(keys)
    }
}
