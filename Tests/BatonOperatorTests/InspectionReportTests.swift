import Foundation
import Testing

@testable import BatonNode
@testable import BatonOperator

@Suite("What baton inspect prints")
struct InspectionReportTests {
    private var report: InspectionReport {
        var report = InspectionReport()
        report.fields = [("user", .text("a\u{1B}[2J")), ("inbox_head", .number(7)), ("online", .none)]
        report.tables = [
            .init(name: "devices", columns: ["device", "idle"], rows: [[.text("d1"), .flag(true)]]),
            .init(name: "sessions", columns: ["node"]),
        ]
        report.warnings = ["Redis is not reachable"]
        return report
    }

    @Test("Columns are aligned, and what a client chose cannot move the cursor")
    func text() {
        #expect(
            report.text() == """
                user        a\\u001b[2J
                inbox_head  7
                online      -

                devices
                  device  idle
                  d1      yes

                sessions
                  node
                  none

                """)
    }

    @Test("Programs get the same as JSON, with types")
    func json() throws {
        let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(report)) as? [String: Any]
        #expect(object?["inbox_head"] as? Int == 7)
        #expect(object?["online"] is NSNull)
        #expect((object?["devices"] as? [[String: Any]])?.first?["idle"] as? Bool == true)
        #expect((object?["sessions"] as? [Any])?.isEmpty == true)
        #expect(object?["warnings"] as? [String] == ["Redis is not reachable"])
    }
}
