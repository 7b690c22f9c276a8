import ArgumentParser
import BatonChaos
import BatonHistory
import Foundation
import Logging

/// `baton chaos`: breaks a cluster of its own under load, and tells whether a promise was broken with it.
struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Breaks a cluster under load in every way, and tells whether a promise was broken with it.",
        discussion: """
            Starts nodes, a Redis and a store of its own, and stops them again. Every device writes down what it sent \
            and what it applied; the verdict comes from these histories alone. The end is a table, a page (HTML) that \
            shows the run over time, and on the last line a JSON object. Exit status: 0 pass, 1 fail, 3 inconclusive.
            """,
        subcommands: [RunCommand.self, CheckCommand.self, OutageCommand.self], defaultSubcommand: RunCommand.self)

    struct RunCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Makes a run (the default).")

        @Option(help: "Nodes of the cluster.") var nodes = 3
        @Option(help: "Users; every fourth has two devices.") var users = 40
        @Option(help: "Messages a second of all users together.") var rate = 400.0
        @Option(help: "Seconds under load and faults.") var seconds = 60.0
        @Option(help: "Seconds between two kills of a node.") var killEvery = 6.0
        @Option(
            help: ArgumentHelp(
                "Faults to make. Default: all that can be made here.",
                discussion: "all, or any of the groups \(FaultKind.groupList) and the kinds \(FaultKind.list)."))
        var faults = "default"
        @Option(help: "An earlier version of this program, for the fault 'mixed': all nodes begin with it.")
        var otherExecutable: String?
        @Flag(help: "Prints the faults that the seed makes, and does nothing.") var printPlan = false
        @Option(help: "The run's random choices. Default: a random one, which is printed.") var seed: UInt64?
        @Option(help: "Where data, logs and histories go. Default: a temporary directory.") var directory: String?
        @Option(help: "Where the page goes. Default: report.html in --directory, or .run/chaos-SEED.html.")
        var report: String?
        @Flag(help: "Keeps the temporary directory also after a pass.") var keep = false

        func run() async throws {
            let settings = try settings()
            guard !printPlan else { return Output.line("seed \(settings.seed)\n\(ChaosPlan(settings).text)") }
            let outcome = try await EndedBySignal.run { await conduct(settings) }
            if outcome == .pass, directory == nil, !keep {
                try? FileManager.default.removeItem(atPath: settings.directory)
            } else {
                Output.notice("data, logs and histories: \(settings.directory)")
            }
            throw outcome.map { ExitCode($0.exitCode) } ?? ExitCode(EndedBySignal.status)
        }

        private func conduct(_ settings: ChaosSettings) async -> RunOutcome? {
            do {
                let report = try await ChaosRun(settings, console: ChaosConsole()).run()
                let path = self.report ?? directory.map { "\($0)/report.html" } ?? ".run/chaos-\(settings.seed).html"
                ChaosOutput.write(report, pageTo: path)
                return report.outcome
            } catch {
                guard !Task.isCancelled else { return nil }
                Output.notice("the run could not be made: \(error)")
                Output.line(ChaosReport.json(failure: "\(error)", seed: settings.seed))
                return .inconclusive
            }
        }

        private func settings() throws -> ChaosSettings {
            let (selection, unknown) = FaultSelection.parsed(faults)
            if let unknown {
                throw ValidationError(
                    "there is no fault '\(unknown)'; there are: all,\(FaultKind.groupList),\(FaultKind.list)")
            }
            guard let executable = Bundle.main.executablePath else {
                throw ValidationError("this program's own path cannot be found; call it by its whole path")
            }
            let seed = seed ?? UInt64.random(in: 1...999_999)
            let directory = directory ?? NSTemporaryDirectory() + "baton-chaos-\(UUID().uuidString.prefix(8))"
            var settings = ChaosSettings(seed: seed, executable: executable, directory: directory)
            settings.nodes = nodes
            settings.users = users
            settings.rate = rate
            settings.seconds = seconds
            settings.killEvery = killEvery
            settings.faults = selection
            settings.otherExecutable = otherExecutable
            settings.shim = HostFaults.library(besides: executable)
            settings.command = RunCommandLine.text(arguments: CommandLine.arguments.dropFirst(), seed: seed)
            if let objection = settings.objection { throw ValidationError(objection) }
            return settings
        }
    }

    struct CheckCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Judges the histories of an earlier run, one file a device.")

        @Argument(
            help: ArgumentHelp(
                "The histories of the run: all devices', and the harness' own, \(ClusterHistory.fileName).",
                valueName: "file"))
        var files: [String]
        @Option(help: "Also writes the page that a run ends with to this file.") var report: String?

        func run() async throws {
            let histories: RunHistories
            do {
                histories = try RunHistories(paths: files)
            } catch {
                throw ValidationError("\(error)")
            }
            let verdict = HistoryChecker.check(histories.devices, cluster: histories.cluster)
            let report = ChaosReport(histories, verdict)
            ChaosOutput.write(report, pageTo: self.report)
            throw ExitCode(report.outcome.exitCode)
        }
    }
}

/// What both commands end with.
private enum ChaosOutput {
    /// Tables, the page's path, and one line for programs. A page that cannot be written does not change the verdict.
    static func write(_ report: ChaosReport, pageTo path: String?) {
        var page: String?
        Output.line(report.text)
        if let path {
            do {
                try ReportPage(report).write(to: path)
                page = path
                Output.line("the page: \(path)")
            } catch {
                Output.notice("\(path) could not be written: \(error)")
            }
        }
        Output.line(report.json(page: page))
    }
}
