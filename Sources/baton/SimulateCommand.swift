import ArgumentParser
import BatonSimulation
import Foundation
import UnixSignals

/// `baton simulate`: whole clusters on virtual time, each a function of its seed.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Runs the relay's own code as a cluster in this process, on virtual time, a seed a schedule.",
        discussion: """
            Nodes, clients, store and Redis live on one event loop whose time, delays and faults come from the seed: the \
            same seed does the same, event by event. A failed seed is printed with its trace and the command that \
            repeats it. So is one that does not end. Exit status: 0 all sound, 1 a promise was broken, or one seed was \
            interrupted.
            """)

    @Option(help: "Schedules to run.") var seeds: UInt64 = 1_000
    @Option(help: "The first seed. Default: 1, and a random one with --forever or --vary.") var from: UInt64?
    @Option(help: "Runs this one seed, and prints its trace where it fails.") var seed: UInt64?
    @Flag(help: "Begins with a random seed, which is printed.") var vary = false
    @Flag(help: "Runs until a signal, or as long as --minutes says.") var forever = false
    @Option(help: "Ends after so many minutes.") var minutes: Double?
    @Flag(help: "Prints the trace also of a sound schedule; with --seed.") var steps = false
    @Option(help: "Threads.") var workers: Int?
    @Flag(help: "Prints one JSON object at the end instead of a line for people.") var json = false

    func validate() throws {
        if steps, seed == nil { throw ValidationError("--steps is for one --seed") }
        if let minutes, minutes <= 0 { throw ValidationError("--minutes must be more than 0") }
        if let workers, workers < 1 { throw ValidationError("--workers must be at least 1") }
    }

    func run() async throws {
        try DeterministicHashing.ensure()
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let status = await withTaskGroup(of: Int32?.self) { group in
            group.addTask { if let seed { await one(seed) } else { await many() } }
            group.addTask {
                for await _ in signals { break }
                return nil
            }
            var status: Int32 = Self.failed
            for await ended in group {
                // An interrupted run tells what it has so far.
                group.cancelAll()
                if let ended { status = ended }
            }
            return status
        }
        throw ExitCode(status)
    }

    private static let failed: Int32 = 1

    private func one(_ seed: UInt64) async -> Int32 {
        guard let outcome = await SimulationRun.traced(seed: seed) else { return Self.failed }
        if steps || !outcome.isSound { Output.line(outcome.trace ?? "") }
        Output.line(json ? SimulationText.json([outcome]) : SimulationText.line(outcome))
        return outcome.isSound ? 0 : Self.failed
    }

    private func many() async -> Int32 {
        var settings = SimulationRun.Settings()
        settings.first = from ?? (vary || forever ? UInt64.random(in: 1...999_999_999) : 1)
        settings.count = forever ? nil : seeds
        settings.workers = workers ?? ProcessInfo.processInfo.activeProcessorCount
        if let minutes { settings.deadline = .now + .seconds(minutes * 60) }
        Output.notice("seeds from \(settings.first), \(settings.workers) threads")
        let progress = SimulationProgress()
        let report = await SimulationRun(settings, onProgress: { progress.told($0) }).run()
        if !json { for outcome in report.failures { await tell(outcome) } }
        Output.line(json ? SimulationText.json(report) : SimulationText.summary(report))
        return report.failures.isEmpty ? 0 : Self.failed
    }

    /// A seed that failed, with its trace.
    private func tell(_ outcome: SimulationOutcome) async {
        let traced = Task.isCancelled ? nil : await SimulationRun.traced(seed: outcome.seed)
        if let trace = traced?.trace { Output.line(trace) }
        Output.line(SimulationText.line(traced ?? outcome))
    }
}
