import ArgumentParser

@main
struct Baton: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baton",
        abstract: "A chat relay: several nodes, one Redis, one store; nothing acknowledged is lost.",
        subcommands: [
            NodeCommand.self, ChatCommand.self, InspectCommand.self, TraceCommand.self, TopCommand.self,
            DoctorCommand.self, BenchCommand.self, ChaosCommand.self, SimulateCommand.self,
        ])
}
