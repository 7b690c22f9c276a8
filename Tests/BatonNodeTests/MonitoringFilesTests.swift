import Foundation
import Testing

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

    static let files = ["prometheus/alerts.yml", "grafana/baton.json"]

    @Test("Each alert says how urgent it is and what it means")
    func alerts() throws {
        let rules = try text("prometheus/alerts.yml").split(separator: "- alert: ").dropFirst()
        #expect(rules.count > 20)
        #expect(Set(rules.map { $0.prefix { !$0.isNewline } }).count == rules.count)
        for rule in rules {
            let name = rule.prefix { !$0.isNewline }
            #expect(rule.contains("expr: "), "\(name)")
            #expect(rule.contains("severity: page") || rule.contains("severity: ticket"), "\(name)")
            #expect(rule.contains("summary: "), "\(name)")
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
