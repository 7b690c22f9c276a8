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
            repeats it. Exit status: 0 all sound, 1 a promise was broken.
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
        if let seed {
            let outcome = Simulation.run(seed: seed, isTraced: true)
            if steps || !outcome.isSound { print(outcome.trace ?? "") }
            print(json ? SimulationText.json([outcome]) : SimulationText.line(outcome))
            throw ExitCode(outcome.isSound ? 0 : 1)
        }
        let report = await many()
        for outcome in report.failures {
            let traced = Simulation.run(seed: outcome.seed, isTraced: true)
            if !json { print(traced.trace ?? "") }
            print(json ? "" : SimulationText.line(traced), terminator: json ? "" : "\n")
        }
        print(json ? SimulationText.json(report) : SimulationText.summary(report))
        throw ExitCode(report.failures.isEmpty ? 0 : 1)
    }

    private func many() async -> SimulationRun.Report {
        var settings = SimulationRun.Settings()
        settings.first = from ?? (vary || forever ? UInt64.random(in: 1...999_999_999) : 1)
        settings.count = forever ? nil : seeds
        settings.workers = workers ?? ProcessInfo.processInfo.activeProcessorCount
        if let minutes { settings.deadline = .now + .seconds(minutes * 60) }
        FileHandle.standardError.write(Data("seeds from \(settings.first), \(settings.workers) threads\n".utf8))
        let progress = SimulationProgress()
        let run = SimulationRun(settings) { progress.told($0) }
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        return await withTaskGroup(of: SimulationRun.Report?.self) { group in
            group.addTask { await run.run() }
            group.addTask {
                for await _ in signals { return nil }
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            if let first { return first }
            for await report in group { if let report { return report } }
            return SimulationRun.Report()
        }
    }
}
