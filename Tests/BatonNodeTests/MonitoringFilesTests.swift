import BatonCore
import BatonTestKit
import Foundation
import Testing
import Yams

@testable import BatonNode

@Suite("The rules for Prometheus and the dashboard for Grafana")
struct MonitoringFilesTests {
    private let ops = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("ops")

    private func text(_ path: String) throws -> String {
        try String(contentsOf: ops.appendingPathComponent(path), encoding: .utf8)
    }

    @Test("Each metric that they name exists, and has the series that they ask for", arguments: files)
    func metrics(_ path: String) throws {
        var named: Set<String> = []
        for mention in try text(path).matches(of: #/\b(?:baton|process)_[a-z_]+/#) {
            let name = String(mention.output)
            named.insert(name)
            if MetricNames.all.contains(where: { $0.name == name }) { continue }
            let histogram = ["_bucket", "_sum", "_count"].first(where: name.hasSuffix).map { name.dropLast($0.count) }
            let definition = MetricNames.all.first { $0.name == histogram.map(String.init) }
            switch definition?.kind {
            case .seconds, .amounts: break
            case .counter, .gauge, nil: Issue.record("\(path): \(name) is no metric")
            }
        }
        #expect(named.count > 15)
    }

    static let files = ["prometheus/alerts.yml", "prometheus/alerts_test.yml", "grafana/baton.json"]

    /// A file of rules, as Prometheus reads it.
    private struct RuleFile: Decodable {
        struct Group: Decodable {
            let name: String
            let rules: [Rule]
        }

        struct Rule: Decodable {
            let alert: String
            let expr: String
            let `for`: String?
            let labels: [String: String]
            let annotations: [String: String]
        }

        let groups: [Group]
    }

    @Test(
        "Each alert has an expression, says how urgent it is and what it means, and nothing that is no part of a rule")
    func alerts() throws {
        let yaml = try text("prometheus/alerts.yml")
        let groups = try YAMLDecoder().decode(RuleFile.self, from: yaml).groups
        #expect(Set(groups.map(\.name)).count == groups.count)
        let rules = groups.flatMap(\.rules)
        #expect(rules.count > 20 && Set(rules.map(\.alert)).count == rules.count)
        for rule in rules {
            #expect(!rule.expr.isEmpty && rule.expr.count(where: { $0 == "(" }) == rule.expr.count { $0 == ")" })
            if let wait = rule.for { #expect(wait.wholeMatch(of: #/[0-9]+[smh]/#) != nil, "\(rule.alert): \(wait)") }
            #expect(["page", "ticket"].contains(rule.labels["severity"]), "\(rule.alert)")
            #expect(rule.annotations["summary"]?.isEmpty == false, "\(rule.alert)")
            #expect(Set(rule.annotations.keys).isSubset(of: ["summary", "description"]), "\(rule.alert)")
        }
        let fields = try #require(try Yams.load(yaml: yaml) as? [String: Any])
        let written = try #require(fields["groups"] as? [[String: Any]]).flatMap {
            $0["rules"] as? [[String: Any]] ?? []
        }
        #expect(written.count == rules.count)
        for rule in written {
            #expect(Set(rule.keys).isSubset(of: ["alert", "expr", "for", "labels", "annotations"]))
        }
    }

    @Test("Each alert has a series that makes it fire, in the file for promtool, and promtool agrees where it is here")
    func firing() throws {
        let rules = try YAMLDecoder().decode(RuleFile.self, from: try text("prometheus/alerts.yml")).groups
        let test = try text("prometheus/alerts_test.yml")
        for rule in rules.flatMap(\.rules) {
            #expect(test.contains(#"alertname="\#(rule.alert)""#), "\(rule.alert)")
        }
        guard let promtool = Self.promtool else { return }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: promtool)
        process.arguments = ["test", "rules", "alerts_test.yml"]
        process.currentDirectoryURL = ops.appendingPathComponent("prometheus")
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let said = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        #expect(process.ended() == 0, "\(said)")
    }

    /// It comes with Prometheus, which no test needs.
    private static let promtool = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test("Failures that are alerted on have their series before the first of them")
    func seriesAreThere() throws {
        let metrics = PrometheusMetrics()
        _ = NodeMetrics(factory: metrics)
        let canary = CanaryWatch(bound: .seconds(20), period: .seconds(5), metrics: metrics)
        canary.sent("r", to: .local, user: UserID(rawValue: 1))
        let text = PrometheusText(accept: nil).write(metrics)
        for series in [
            #"baton_store_errors_total{kind="disk_full"} 0"#, #"baton_store_errors_total{kind="unavailable"} 0"#,
            #"baton_store_errors_total{kind="overloaded"} 0"#, #"baton_canary_failed_total{target="local"} 0"#,
            "baton_redis_errors_total 0",
        ] {
            #expect(text.contains("\n" + series + "\n"), "\(series)")
        }
    }

    @Test("The dashboard can be imported: its panels have places of their own and ask the chosen Prometheus")
    func dashboard() throws {
        let object = try JSONSerialization.jsonObject(with: Data(try text("grafana/baton.json").utf8))
        let dashboard = try #require(object as? [String: Any])
        #expect(dashboard["uid"] as? String == "baton" && dashboard["title"] as? String == "Baton")
        let panels = try #require(dashboard["panels"] as? [[String: Any]])
        #expect(Set(panels.compactMap { $0["id"] as? Int }).count == panels.count)
        var places: Set<[Int]> = []
        for panel in panels {
            let place = try #require(panel["gridPos"] as? [String: Int])
            let (x, y, width) = (place["x"] ?? -1, place["y"] ?? -1, place["w"] ?? 0)
            #expect(x >= 0 && x + width <= 24 && places.insert([x, y]).inserted)
            guard panel["type"] as? String != "row" else { continue }
            let source = try #require(panel["datasource"] as? [String: String])
            #expect(source["uid"] == "${datasource}")
            let targets = try #require(panel["targets"] as? [[String: Any]])
            #expect(!targets.isEmpty && targets.allSatisfy { ($0["expr"] as? String)?.isEmpty == false })
        }
    }
}
