import BatonAPI
import BatonGateway
import Foundation
import Hummingbird
import HummingbirdTesting
import Metrics
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import BatonNode

@Suite("Health and metrics over HTTP")
struct ObservabilityRoutesTests {
    @Test("A ready node answers 200, one that is not 503, and both say why")
    func readiness() async throws {
        let state = HealthState()
        try await application(state, metrics: nil).test(.router) { client in
            try await client.execute(uri: "/health/ready", method: .get) { response in
                #expect(response.status == .ok)
                #expect(response.headers[.contentType] == "application/json")
                let body = Data(response.body.readableBytesView)
                let object = try JSONSerialization.jsonObject(with: body) as? [String: Any]
                #expect(object?["ready"] as? Bool == true)
                #expect(object?["node"] as? String == "n1")
                #expect(object?["redis_pid"] as? Int == 42)
            }
            state.change { health in
                health.ready = false
                health.degraded = true
                health.reasons = ["redis_unreachable"]
            }
            try await client.execute(uri: "/health/ready", method: .get) { response in
                #expect(response.status == .serviceUnavailable)
                #expect(String(buffer: response.body).contains(#""reasons":["redis_unreachable"]"#))
            }
            try await client.execute(uri: "/health/live", method: .get) { response in
                #expect(response.status == .ok)
            }
        }
    }

    @Test("Prometheus gets the metrics with the content type of its format")
    func metrics() async throws {
        let metrics = PrometheusMetrics()
        RelayMetrics(factory: metrics).accepted.increment()
        try await application(HealthState(), metrics: metrics).test(.router) { client in
            try await client.execute(uri: "/metrics", method: .get) { response in
                #expect(response.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
                let text = String(buffer: response.body)
                #expect(text.contains("baton_messages_accepted_total 1\n"))
                #expect(text.contains("baton_ready 1\n"))
                #expect(text.contains("baton_connections 7\n"))
            }
            try await client.execute(
                uri: "/metrics", method: .get, headers: [.accept: "application/openmetrics-text"]
            ) { response in
                #expect(response.headers[.contentType]?.hasPrefix("application/openmetrics-text") == true)
                #expect(String(buffer: response.body).hasSuffix("# EOF\n"))
            }
        }
    }

    @Test("Switched off, /metrics is not there")
    func metricsSwitchedOff() async throws {
        try await application(HealthState(), metrics: nil).test(.router) { client in
            try await client.execute(uri: "/metrics", method: .get) { #expect($0.status == .notFound) }
        }
    }

    @Test("A loop that runs its timers late shows how late")
    func eventLoopLag() {
        let loop = EmbeddedEventLoop()
        let histogram = HistogramSeries(bounds: MetricBuckets.latency)
        let probe = EventLoopLagProbe(group: loop, lag: Metrics.Timer(label: "lag", dimensions: [], handler: histogram))
        loop.advanceTime(by: .seconds(1))
        #expect(histogram.snapshot().count == 0)
        loop.advanceTime(by: .seconds(1))
        #expect(histogram.snapshot().count == 1)
        probe.stop()
        loop.advanceTime(by: .seconds(5))
        #expect(histogram.snapshot().count == 1)
    }

    private func application(_ state: HealthState, metrics: PrometheusMetrics?) -> some ApplicationProtocol {
        var routes = RouteTable()
        ObservabilityRoutes(metrics: metrics) { state.health }.add(to: &routes)
        return Application(router: routes.router())
    }
}

private final class HealthState: Sendable {
    private let state = Mutex(
        NodeHealth(
            ready: true, degraded: false, reasons: [], node: "n1", incarnation: "1", pid: 1, redisPID: 42,
            version: "0", connections: 7))
    var health: NodeHealth { state.withLock { $0 } }
    func change(_ body: (inout NodeHealth) -> Void) { state.withLock { body(&$0) } }
}
