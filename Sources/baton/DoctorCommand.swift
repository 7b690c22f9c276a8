import ArgumentParser
import BatonNode
import Foundation
import Logging

/// `baton doctor`: is everything as a node needs it?
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks Redis, the store, this host, the nodes and the balancer, and says what to change.",
        discussion: "Changes nothing. Ends with 1 where something breaks a promise; warnings end with 0.")

    @OptionGroup var configuration: ConfigurationOptions
    @Option(help: "HAProxy's configuration file, whose timeouts are compared with the nodes' pings.")
    var haproxy: String?
    @Option(help: "Where clients reach the cluster, http://host:port.") var balancer: String?
    @Flag(help: "One JSON object instead of lines.") var json = false

    func run() async throws {
        let configuration = try configuration.load().configuration
        // What goes wrong is a finding.
        let logger = Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() }
        let diagnosis = await Doctor(
            configuration, options: Doctor.Options(haproxy: haproxy, balancer: balancer), logger: logger
        ).examine()
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(diagnosis), as: UTF8.self))
        } else {
            print(diagnosis.text(), terminator: "")
        }
        if !diagnosis.isHealthy { throw ExitCode.failure }
    }
}
