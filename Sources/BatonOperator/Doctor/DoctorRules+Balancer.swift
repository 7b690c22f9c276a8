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
            change: "let only what is for clients pass, and name the balancer in listen.trustedProxies; HAProxy: "
                + "http-request deny unless { path_beg /v1/ } || { path /health/live /health/ready }; "
                + "nginx: location / { return 404; } beside location /v1/")
    }

    /// What became of a connection that was left idle.
    ///
    /// - Parameter seconds: for how long it was.
    static func idle(_ outcome: IdleConnection.Outcome, url: String, seconds: Int64) -> Finding {
        let check = "balancer idle"
        let ping = Limits.Connection.pingSeconds
        switch outcome {
        case .survived:
            let isPinged = seconds > ping
            return .ok(
                check,
                "an idle WebSocket lives \(seconds) s"
                    + (isPinged ? ", beyond the ping that comes after \(ping) s" : "")
            )
        case .cut(let after, let why):
            let lived = after.components.seconds
            return .failure(
                check, "an idle WebSocket was cut off after \(lived) s (\(why)); a node pings after \(ping) s",
                change: "the balancer's idle timeout, above \(Limits.Connection.silenceSeconds) s: HAProxy: \(advice); "
                    + "nginx: proxy_read_timeout 5m; and proxy_send_timeout 5m;")
        case .notConnected(let why):
            return .failure(
                check, "no WebSocket through \(url): \(why)",
                change:
                    "let it pass upgrades on; nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
                    + "proxy_set_header Connection upgrade;")
        case .displaced:
            return .warning(check, "another doctor was there at the same time", change: "run it again")
        }
    }

    private static func seconds(_ milliseconds: Int64) -> String {
        milliseconds.isMultiple(of: 1_000) ? "\(milliseconds / 1_000) s" : "\(milliseconds) ms"
    }
}
