import ArgumentParser
import BatonNode
import BatonOperator
import Foundation
import Logging

/// `baton doctor`: is everything as a node needs it?
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks Redis, the store, this host, the nodes and the balancer, and says what to change.",
        discussion: """
            Changes nothing; but where a connection through --balancer is tried, a node makes a user for that, once. \
            Ends with 1 where something breaks a promise; warnings end with 0.
            """)

    @OptionGroup var configuration: ConfigurationOptions
    @Option(help: "HAProxy's configuration file, whose timeouts are compared with the nodes' pings.")
    var haproxy: String?
    @Option(
        help: "Where clients reach the cluster, http://host:port. A connection through it is left idle for a while.")
    var balancer: String?
    @Option(help: "Seconds for which that connection is left idle; 0: none is opened. A node pings after 20.")
    var idle = Doctor.Options.idleDefault
    @Flag(help: "One JSON object instead of lines.") var json = false

    private static let idleSeconds: ClosedRange<Int64> = 0...600

    func validate() throws {
        guard Self.idleSeconds.contains(idle) else {
            throw ValidationError(
                "--idle must be \(Self.idleSeconds.lowerBound) to \(Self.idleSeconds.upperBound) seconds")
        }
    }

    func run() async throws {
        let configuration = try configuration.load().configuration
        // What goes wrong is a finding.
        let logger = Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() }
        var options = Doctor.Options(haproxy: haproxy, balancer: balancer)
        options.idle = idle
        // One line that changes, for people; nothing for programs.
        if isatty(STDERR_FILENO) == 1 { options.onProgress = { Output.progress($0) } }
        let diagnosis = await Doctor(configuration, options: options, logger: logger).examine()
        if json {
            try Output.object(diagnosis)
        } else {
            Output.text(diagnosis.text())
        }
        if !diagnosis.isHealthy { throw ExitCode.failure }
    }
}
