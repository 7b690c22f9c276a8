import BatonAPI
import BatonEdge
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

    func add(to router: Router<APIRequestContext>) {
        let page = AdminPage()
        router.get("/admin") { _, context in
            try context.requireInside()
            return page.response
        }
        router.get(RouterPath(AdminProof.path)) { [gate] _, context in
            try context.requireInside()
            return try AdminGroup.json(AdminProof.Challenge(challenge: gate.challenges.make()))
        }
        let group = AdminGroup(router: router, gate: gate)
        group.get("status") { [status] _, _ in try AdminGroup.json(await status()) }
        group.get("cluster") { [cluster] _, _ in try AdminGroup.json(await cluster()) }
        trace.add(to: group)
        doctor.add(to: group)
    }
}

/// Routes below `/admin` that ask for the token.
struct AdminGroup {
    typealias Handler = @Sendable (Request, APIRequestContext) async throws -> Response

    private let router: Router<APIRequestContext>
    private let gate: AdminGate

    init(router: Router<APIRequestContext>, gate: AdminGate) {
        self.router = router
        self.gate = gate
    }

    /// - Parameter path: what follows `/admin/`; `{name}` is a parameter.
    func get(_ path: String, _ handler: @escaping Handler) { on(.get, path, handler) }

    func post(_ path: String, _ handler: @escaping Handler) { on(.post, path, handler) }

    private func on(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
        let gate = gate
        router.on(RouterPath("/admin/" + path), method: method) { request, context in
            try context.requireInside()
            try await gate.pass(request, context)
            return try await handler(request, context)
        }
    }

    static func json(_ value: some Encodable) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try encoder.encode(value))))
    }
}
