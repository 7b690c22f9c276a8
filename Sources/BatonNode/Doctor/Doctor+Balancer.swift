import Foundation

/// What stands before the nodes, where one says where it is.
extension Doctor {
    private static let fileBytes = 1024 * 1024

    func examineBalancer(_ visits: DoctorVisits, _ diagnosis: inout Diagnosis) async {
        if let path = options.haproxy {
            if let data = FileManager.default.contents(atPath: path), data.count <= Self.fileBytes {
                let configuration = HAProxyConfiguration(String(decoding: data, as: UTF8.self))
                diagnosis.findings += DoctorRules.balancer(configuration, path: path)
            } else {
                diagnosis.findings.append(
                    .failure("balancer", "\(path) cannot be read, or is no configuration", change: "--haproxy FILE"))
            }
        }
        guard let url = options.balancer.map({ $0.hasSuffix("/") ? String($0.dropLast()) : $0 }) else { return }
        guard let health = await visits.get("/health/live", of: url) else {
            diagnosis.findings.append(
                .failure("balancer", "\(url) does not answer", change: "start it, or --balancer URL"))
            return
        }
        diagnosis.findings.append(
            health.status >= 500
                ? .failure("balancer", "\(url) has no node that takes clients", change: "see the nodes above")
                : .ok("balancer", "\(url) answers"))
        if let answer = await visits.get("/metrics", of: url),
            let finding = DoctorRules.exposed("/metrics", status: answer.status)
        {
            diagnosis.findings.append(finding)
        }
    }
}
