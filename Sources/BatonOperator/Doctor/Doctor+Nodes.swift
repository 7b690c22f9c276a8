import BatonCore
import BatonNode
import Foundation

/// The nodes that run, wherever their leases say that they are.
extension Doctor {
    /// Nodes that are asked at most.
    private static let nodes = 256

    /// What of `/health/ready` is of interest.
    private struct Health: Decodable {
        let ready: Bool
        let reasons: [String]
        let node: String
        let pid: Int32
    }

    func examineNodes(_ leases: [NodeLease], _ visits: DoctorVisits, _ diagnosis: inout Diagnosis) async {
        var readings: [DoctorRules.ClockReading] = []
        for lease in leases.sorted(by: { $0.node.name < $1.node.name }).prefix(Self.nodes) {
            let (name, address) = (lease.node.name, lease.address)
            guard let answer = await visits.get("/health/ready", of: address),
                let health = try? JSONDecoder().decode(Health.self, from: Data(answer.body)), health.node == name
            else {
                diagnosis.findings.append(DoctorRules.unreachable(name, address: address))
                continue
            }
            diagnosis.findings.append(
                DoctorRules.node(name, address: address, isReady: health.ready, reasons: health.reasons))
            if let limits = Self.limits(of: health.pid),
                let finding = DoctorRules.openFiles(
                    ofNode: name, limits: limits, for: configuration.limits.descriptors)
            {
                diagnosis.findings.append(finding)
            }
            guard let date = answer.date else { continue }
            readings.append(
                DoctorRules.ClockReading(
                    node: name, date: date.milliseconds, asked: answer.asked.milliseconds,
                    answered: answer.answered.milliseconds))
        }
        if let finding = DoctorRules.clocks(readings) { diagnosis.findings.append(finding) }
    }

    /// Of a process of this host that is a node; another host's has another program under its number, or none.
    private static func limits(of pid: Int32) -> String? {
        guard let command = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8),
            command.hasPrefix("baton")
        else { return nil }
        return try? String(contentsOfFile: "/proc/\(pid)/limits", encoding: .utf8)
    }
}
