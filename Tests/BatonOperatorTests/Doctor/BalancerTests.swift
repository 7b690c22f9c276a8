import Testing

@testable import BatonNode
@testable import BatonOperator

@Suite("What the doctor says of a balancer")
struct BalancerTests {
    private func findings(_ text: String) -> [Diagnosis.Finding] {
        DoctorRules.balancer(HAProxyConfiguration(text), path: "lb.cfg")
    }

    private func finding(_ check: String, _ text: String) -> Diagnosis.Finding? {
        findings(text).first { $0.check == "balancer \(check)" }
    }

    private let backend = "backend nodes\n  http-check send meth GET uri /health/ready\n"

    @Test("A tunnel's timeout above the silence of a client is good, in all sections that inherit it")
    func good() {
        let text =
            "defaults\n timeout client 10s # short\n timeout server 10s\n timeout tunnel 5m\nfrontend in\n" + backend
        #expect(findings(text).allSatisfy { $0.result == .ok })
        #expect(findings(text).map(\.check) == ["balancer in", "balancer nodes", "balancer health"])
    }

    @Test("One below the ping cuts clients off: a failure, with the line to change")
    func short() {
        let text = "defaults\n  timeout client 60s\n\n  timeout tunnel 15s\nfrontend in\n" + backend
        let finding = finding("in", text)
        #expect(finding?.result == .failure)
        #expect(finding?.change == "lb.cfg:4: timeout tunnel 5m")
        #expect(finding?.found.contains("timeout tunnel of 15 s") == true)
    }

    @Test(
        "Without one for tunnels, those of client and server count, each where it is used",
        arguments: [
            ("20s", Diagnosis.Result.failure), ("20001", .warning), ("45000ms", .warning), ("45001", .ok),
            ("1m", .ok), ("19999999us", .failure),
        ])
    func inherited(time: String, result: Diagnosis.Result) {
        #expect(finding("in", "frontend in\n timeout client \(time)\n timeout server 1s\n")?.result == result)
        #expect(finding("out", "backend out\n timeout client 1s\n timeout server \(time)\n")?.result == result)
        #expect(finding("all", "listen all\n timeout client 1h\n timeout server \(time)\n")?.result == result)
    }

    @Test("Defaults begin anew, and what is no proxy's is nobody's")
    func sections() {
        let text = """
            global
              stats timeout 1s
            defaults
              timeout tunnel 1s
            defaults
              timeout client 1d
            peers others
              timeout client 1s
            frontend in
            """
        #expect(finding("in", text)?.result == .ok)
    }

    @Test("No timeout, no health check, and no proxy at all are told")
    func missing() {
        #expect(finding("in", "frontend in\n")?.found.hasPrefix("no timeout") == true)
        #expect(finding("health", "frontend in\n # /health/ready\n")?.result == .warning)
        #expect(findings("").first?.result == .warning)
    }

    @Test("Any text is read without a trap")
    func noise() {
        for text in [
            "timeout", "timeout client", "frontend", "\n\n#", "timeout client 99999999999999999999d", "listen \t x",
        ] {
            _ = findings(text)
        }
        #expect(HAProxyConfiguration.milliseconds("9223372036854775807d") == .max)
        #expect(HAProxyConfiguration.milliseconds("5x") == nil && HAProxyConfiguration.milliseconds("s") == nil)
    }

    @Test("A connection that was left idle lives, or it is told what to change")
    func idle() {
        func finding(_ outcome: IdleConnection.Outcome, seconds: Int64 = 25) -> Diagnosis.Finding {
            DoctorRules.idle(outcome, url: "http://lb", seconds: seconds)
        }
        #expect(finding(.survived).result == .ok && finding(.survived).found.contains("beyond the ping"))
        #expect(!finding(.survived, seconds: 20).found.contains("beyond"))
        let cut = finding(.cut(after: .milliseconds(15_020), why: "the connection was lost"))
        #expect(cut.result == .failure && cut.found.contains("after 15 s (the connection was lost)"))
        #expect(cut.change?.contains("timeout tunnel 5m") == true)
        let refused = finding(.notConnected(why: "refused (426): upgrade_required"))
        #expect(refused.result == .failure && refused.change?.contains("proxy_set_header Upgrade") == true)
        #expect(finding(.displaced).result == .warning)
    }

    @Test("Metrics that the world can see are a failure")
    func exposed() {
        #expect(DoctorRules.exposed("/metrics", status: 200)?.result == .failure)
        #expect(DoctorRules.exposed("/metrics", status: 403) == nil)
    }
}
