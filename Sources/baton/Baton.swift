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

    /// As the library's, but for what it prints: errors hold what others wrote, too.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            let (status, text) = (exitCode(for: error), fullMessage(for: error))
            if !text.isEmpty {
                if status.isSuccess { Output.line(text) } else { Output.explanation(text) }
            }
            exit(withError: status)
        }
    }
}
