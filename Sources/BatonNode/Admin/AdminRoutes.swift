import BatonAPI
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// What `/admin` answers. Everything but the page itself and challenges, which hold no data, asks for the token.
///
/// These paths show the cluster and never what people wrote. They stand on the node's own port, beside `/metrics`, and
/// like that are not there for those who come through a balancer.
struct AdminRoutes: Sendable {
    let gate: AdminGate
    let status: @Sendable () async -> NodeStatus
    let cluster: @Sendable () async -> ClusterStatus
    let trace: TraceRoute
    let doctor: DoctorRoute

    func add(to table: inout RouteTable) {
        let page = AdminPage()
        table.add(.get, "/admin", for: .inside) { _, _ in page.response }
        table.add(.get, AdminProof.path, for: .inside) { [gate] _, _ in
            try AdminAnswer.json(AdminProof.Challenge(challenge: gate.challenges.make()))
        }
        table.admin(.get, "status", behind: gate) { [status] _, _ in try AdminAnswer.json(await status()) }
        table.admin(.get, "cluster", behind: gate) { [cluster] _, _ in try AdminAnswer.json(await cluster()) }
        trace.add(to: &table, behind: gate)
        doctor.add(to: &table, behind: gate)
    }
}

extension RouteTable {
    /// A route that asks for the admin token.
    ///
    /// - Parameter path: what follows `/admin/`; `{name}` is a parameter.
    mutating func admin(
        _ method: HTTPRequest.Method, _ path: String, behind gate: AdminGate, _ handler: @escaping Handler
    ) {
        add(method, "/admin/" + path, for: .operators) { request, context in
            try await gate.pass(request, context)
            return try await handler(request, context)
        }
    }
}

enum AdminAnswer {
    static func json(_ value: some Encodable) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try encoder.encode(value))))
    }
}
