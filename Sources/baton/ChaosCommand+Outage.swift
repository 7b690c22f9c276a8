import ArgumentParser
import BatonChaos
import BatonHistory
import Foundation

extension ChaosCommand {
    /// `baton chaos outage`: how soon are clients back after all nodes were away?
    struct OutageCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "outage",
            abstract: "Kills all nodes under many clients, and measures how soon these are back.",
            discussion: """
                Starts a cluster of its own, and stops it again. The last line is one JSON object. Exit status: 0 where 99 \
                of 100 clients were back in time, 1 where not, 3 where the run could not be made.
                """)

        @Option(help: "Nodes of the cluster.") var nodes = 3
        @Option(help: "Clients that are connected.") var clients = 1_000
        @Option(help: "Seconds for which no node runs.") var down = 60.0
        @Option(help: "Seconds from the nodes' being ready within which 99 of 100 clients are to be back.")
        var within = 6.0
        @Option(help: "Where data and logs go. Default: a temporary directory, which is removed after a pass.")
        var directory: String?

        func validate() throws {
            for (name, value) in [("nodes", nodes), ("clients", clients)] where value < 1 {
                throw ValidationError("--\(name) must be at least 1")
            }
            for (name, value) in [("down", down), ("within", within)] where !(value > 0 && value <= 3_600) {
                throw ValidationError("--\(name) must be above 0, and 3600 seconds at most")
            }
        }

        func run() async throws {
            guard let executable = Bundle.main.executablePath else {
                throw ValidationError("this program's own path cannot be found; call it by its whole path")
            }
            let directory = directory ?? NSTemporaryDirectory() + "baton-outage-\(UUID().uuidString.prefix(8))"
            let settings = settings(executable, directory)
            let outcome = try await EndedBySignal.run { await Self.conduct(settings) }
            if outcome == .pass, self.directory == nil {
                try? FileManager.default.removeItem(atPath: directory)
            } else {
                Output.notice("data and logs: \(directory)")
            }
            throw outcome.map { ExitCode($0.exitCode) } ?? ExitCode(EndedBySignal.status)
        }

        private func settings(_ executable: String, _ directory: String) -> OutageRun.Settings {
            var settings = OutageRun.Settings(executable: executable, directory: directory)
            settings.nodes = nodes
            settings.clients = clients
            settings.down = .seconds(down)
            settings.within = .seconds(within)
            return settings
        }

        private static func conduct(_ settings: OutageRun.Settings) async -> RunOutcome? {
            do {
                let report = try await OutageRun(settings, console: ChaosConsole()).run()
                Output.line(report.text)
                Output.line(report.json)
                return report.verdict
            } catch {
                guard !Task.isCancelled else { return nil }
                Output.notice("the run could not be made: \(error)")
                return .inconclusive
            }
        }
    }
}
