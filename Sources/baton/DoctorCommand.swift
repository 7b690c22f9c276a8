import ArgumentParser
import BatonNode
import Foundation
import Logging

/// `baton doctor`: is everything as a node needs it?
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks Redis, the store and this host, and says what to change.",
        discussion: "Changes nothing. Ends with 1 where something breaks a promise; warnings end with 0.")

    @OptionGroup var configuration: ConfigurationOptions
    @Flag(help: "One JSON object instead of lines.") var json = false

    func run() async throws {
        let configuration = try configuration.load().configuration
        // What goes wrong is a finding.
        let logger = Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() }
        let diagnosis = await Doctor(configuration, logger: logger).examine()
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
