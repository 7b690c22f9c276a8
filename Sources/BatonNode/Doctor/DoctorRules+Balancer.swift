import BatonCore

/// What a balancer in front of the nodes does to connections that are silent for a while.
///
/// A node pings a silent client after 20 s, so that something passes in both directions that often. A timeout below it
/// cuts connections off while nothing is wrong; one below the 45 s after which either end gives up cuts them off before.
extension DoctorRules {
    static let pingMilliseconds = Limits.Connection.pingSeconds * 1_000
    static let silenceMilliseconds = Limits.Connection.silenceSeconds * 1_000
    private static let advice = "timeout tunnel 5m"

    static func balancer(_ configuration: HAProxyConfiguration, path: String) -> [Finding] {
        var findings: [Finding] = []
        for proxy in configuration.proxies {
            findings.append(tunnel(proxy, path: path))
        }
        if findings.isEmpty {
            findings.append(.warning("balancer", "\(path) has no frontend, backend or listen", change: nil))
        }
        let check = "balancer health"
        findings.append(
            configuration.asksReadiness
                ? .ok(check, "asks /health/ready")
                : .warning(
                    check, "it sends clients to nodes that are not ready",
                    change: "\(path): in the backend: option httpchk, http-check send meth GET uri /health/ready, and "
                        + "check at each server"))
        return findings
    }

    /// After the upgrade `timeout tunnel` replaces those of client and server, where it is set.
    private static func tunnel(_ proxy: HAProxyConfiguration.Proxy, path: String) -> Finding {
        let check = "balancer \(proxy.name)"
        let candidates: [(name: String, timeout: HAProxyConfiguration.Timeout?)] =
            switch proxy.side {
            case _ where proxy.tunnel != nil: [("tunnel", proxy.tunnel)]
            case .frontend: [("client", proxy.client)]
            case .backend: [("server", proxy.server)]
            case .both: [("client", proxy.client), ("server", proxy.server)]
            }
        let known = candidates.compactMap { candidate in candidate.timeout.map { (candidate.name, $0) } }
        guard let (name, least) = known.min(by: { $0.1.milliseconds < $1.1.milliseconds }) else {
            return .warning(
                check, "no timeout: sockets of clients that vanished stay for ever", change: "\(path): \(advice)")
        }
        let found = "\(path):\(least.line): timeout \(name) of \(seconds(least.milliseconds))"
        let change = "\(path):\(least.line): \(advice)"
        if least.milliseconds <= pingMilliseconds {
            return .failure(
                check, "\(found) cuts silent clients off: a node pings after \(seconds(pingMilliseconds))",
                change: change)
        }
        if least.milliseconds <= silenceMilliseconds {
            return .warning(
                check,
                "\(found) is shorter than the \(seconds(silenceMilliseconds)) for which a node waits for a client",
                change: change)
        }
        return .ok(check, "timeout \(name) of \(seconds(least.milliseconds))")
    }

    /// What is for inside, and whether the world can see it through the balancer.
    static func exposed(_ path: String, status: Int) -> Finding? {
        guard status == 200 else { return nil }
        return .failure(
            "balancer \(path)", "shown to everybody",
            change: "http-request deny if { path,url_dec -m reg ^/+\(path.drop { $0 == "/" })(/|$) } in its frontend")
    }

    private static func seconds(_ milliseconds: Int64) -> String {
        milliseconds.isMultiple(of: 1_000) ? "\(milliseconds / 1_000) s" : "\(milliseconds) ms"
    }
}
