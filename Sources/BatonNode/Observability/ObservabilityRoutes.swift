package import BatonAPI
import BatonEdge
import Foundation
import HTTPTypes
import Hummingbird

/// `GET /health/live`, `/health/ready` and `/metrics`.
///
/// Live: the process answers; if it does not, restart it. Ready: send it clients (200) or do not (503). A degraded node
/// is ready: it serves what it can. None of them asks for credentials, so none of them says anything about users; and who
/// comes from outside, through a proxy that is trusted, learns only whether the node is ready and degraded.
package struct ObservabilityRoutes: Sendable {
    private let health: @Sendable () -> NodeHealth
    private let metrics: PrometheusMetrics?

    /// - Parameter metrics: nil where `/metrics` is switched off.
    package init(metrics: PrometheusMetrics?, health: @escaping @Sendable () -> NodeHealth) {
        self.health = health
        self.metrics = metrics
        guard let metrics else { return }
        metrics.observe(MetricNames.ready) { health().ready ? 1 : 0 }
        metrics.observe(MetricNames.degraded) { health().degraded ? 1 : 0 }
        metrics.observe(MetricNames.connections) { Double(health().connections) }
        ProcessMetrics.observe(with: metrics)
    }

    package func add(to table: inout RouteTable) {
        table.add(.get, HealthPath.live.rawValue, for: .everybody) { _, _ in
            Self.response(.ok, "application/json", Array(#"{"live":true}"#.utf8))
        }
        table.add(.get, HealthPath.ready.rawValue, for: .everybody) { [health] _, context in
            let health = health()
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let body = context.isProxied ? try encoder.encode(health.forOutside) : try encoder.encode(health)
            return Self.response(health.ready ? .ok : .serviceUnavailable, "application/json", Array(body))
        }
        guard let metrics else { return }
        table.add(.get, "/metrics", for: .inside) { request, _ in
            let format = PrometheusText(accept: request.headers[.accept])
            return Self.response(.ok, format.contentType, Array(format.write(metrics).utf8))
        }
    }

    private static func response(_ status: HTTPResponse.Status, _ type: String, _ body: [UInt8]) -> Response {
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
