import BatonClient
import BatonCore
import BatonNode
import Foundation

/// What stands before the nodes, where one says where it is.
extension Doctor {
    private static let fileBytes = 1024 * 1024
    /// Nodes that are asked for a token at most.
    private static let nodesAsked = 8

    func examineBalancer(_ nodes: [NodeLease], _ visits: DoctorVisits, _ diagnosis: inout Diagnosis) async {
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
        for path in ["/metrics", "/admin"] {
            if let answer = await visits.get(path, of: url),
                let finding = DoctorRules.exposed(path, status: answer.status)
            {
                diagnosis.findings.append(finding)
            }
        }
        if options.idle > 0, health.status < 500 {
            diagnosis.findings.append(await idle(url, nodes, visits))
        }
    }

    /// Leaves a connection through the balancer idle until after a node's ping.
    private func idle(_ url: String, _ nodes: [NodeLease], _ visits: DoctorVisits) async -> Diagnosis.Finding {
        guard let address = RelayAddress(url) else {
            return .failure("balancer idle", "\(url) is no address of a relay", change: "--balancer http://host:port")
        }
        let token: IssuedToken
        do {
            token = try await idleToken(nodes, visits)
        } catch {
            return .warning(
                "balancer idle", "not tried: \(error)",
                change: "run it where the nodes' admin.tokenFile is, and can be read")
        }
        let seconds = options.idle
        let onProgress = options.onProgress
        let connection = IdleConnection(address: address, token: token, duration: .seconds(seconds)) { passed in
            onProgress("an idle WebSocket through \(url): \(passed.components.seconds) of \(seconds) s")
        }
        let outcome = await connection.measure()
        onProgress("")
        return DoctorRules.idle(outcome, url: url, seconds: seconds)
    }

    private struct NoToken: Error, CustomStringConvertible {
        let description: String
    }

    /// Asks the nodes, one after the other, for a token of the doctor's user.
    private func idleToken(_ nodes: [NodeLease], _ visits: DoctorVisits) async throws -> IssuedToken {
        let admin = try AdminTokenFile.load(path: configuration.adminTokenPath)
        var refusal: String?
        for node in nodes.prefix(Self.nodesAsked) {
            guard let answer = await visits.post("/admin/doctor", of: node.address, as: admin) else { continue }
            guard answer.status == 200,
                let issued = try? JSONDecoder().decode(DoctorRoute.Answer.self, from: answer.body),
                let user = UserID(issued.user), let device = DeviceID(issued.device)
            else {
                refusal = refusal ?? "\(node.node) gives no token (\(answer.status))"
                continue
            }
            return IssuedToken(
                user: user, device: device, accessToken: issued.accessToken, lifetime: .seconds(issued.lifetimeSeconds))
        }
        throw NoToken(description: refusal ?? "no node answers")
    }
}
