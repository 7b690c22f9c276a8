import ArgumentParser
import BatonCore
import BatonNode
import BatonOperator
import Foundation
import Logging

/// `baton trace`: one message's life.
struct TraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Tells one message's life: accepted, committed, hinted, written, acknowledged, or why not yet.",
        discussion: """
            Asks all nodes that hold a lease, reads the files that dead ones left on this host, and looks into the store \
            and Redis. Reads only, and shows no content. Ends with 1 where nobody knows of such a message, or where \
            something could not be asked: what is known is printed nevertheless.
            """)

    @Argument(help: "A ref, as its sender's device chose it, or a message's id.") var message: String?
    @Flag(help: "Instead: measures what tracing costs a message on this host.") var cost = false
    @OptionGroup var configuration: ConfigurationOptions
    @Flag(help: "One JSON object instead of tables.") var json = false

    func validate() throws {
        let bytes = Limits.Message.refBytes
        guard cost != (message != nil) else { throw ValidationError("a message, or --cost") }
        guard let message else { return }
        guard MessageID(message) != nil || (1...bytes).contains(message.utf8.count) else {
            throw ValidationError("a message's id is <conversation>.<sequence>, and a ref has 1 to \(bytes) bytes")
        }
    }

    func run() async throws {
        let configuration = try configuration.load().configuration
        guard let message else {
            try measure(configuration)
            return
        }
        let logger = Logger(label: "trace") {
            RelayLogHandler(label: $0, level: .critical, format: configuration.log.format)
        }
        let tracer = try await Tracer.open(
            configuration, environment: ProcessInfo.processInfo.environment, logger: logger)
        let outcome: TraceOutcome
        do {
            outcome = try await tracer.trace(message)
        } catch {
            await tracer.close()
            throw error
        }
        await tracer.close()
        if json {
            try Output.object(outcome.report)
        } else {
            Output.text(outcome.report.text())
        }
        for warning in outcome.report.warnings { Output.notice("warning: \(warning)") }
        guard outcome.isKnown, outcome.report.warnings.isEmpty else { throw ExitCode.failure }
    }

    private func measure(_ configuration: NodeConfiguration) throws {
        try Output.object(try TraceCostReport.measure(configuration), isPretty: false)
    }
}
