import ArgumentParser
import BatonNode
import Foundation

/// `baton top`: the cluster, live.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Shows the cluster live: nodes, connections, messages, latency, backlog, Redis and the store.",
        discussion: """
            Asks the nodes for what /admin shows, with the token of admin.tokenFile (or of BATON_ADMIN_TOKEN). Finds the \
            nodes by their leases in Redis, or where --node says. In a pipe, or with --plain, a table each second; with \
            --once one table, with --json one object. Two looks are a second apart: the first only shows after it. \
            Ends with 1 where no node answers, or the token is wrong.
            """)

    @OptionGroup var configuration: ConfigurationOptions
    @Option(
        name: .customLong("node"), parsing: .singleValue,
        help: ArgumentHelp("A node to ask instead of those in Redis; may be repeated.", valueName: "http://host:port"))
    var nodes: [String] = []
    @Flag(help: "One table, and the end.") var once = false
    @Flag(help: "One JSON object, and the end.") var json = false
    @Flag(help: "Tables below each other instead of a screen.") var plain = false

    /// A table in a pipe is as wide as it has to be.
    private static let plainColumns = 220

    func validate() throws {
        for node in nodes {
            guard let url = URL(string: node.contains("://") ? node : "http://" + node), url.host != nil,
                ["http", "https"].contains(url.scheme), url.path.isEmpty || url.path == "/", url.query == nil
            else { throw ValidationError("'\(node)' is not a node's address, such as http://127.0.0.1:8080") }
        }
    }

    func run() async throws {
        let configuration = try configuration.load().configuration
        let environment = ProcessInfo.processInfo.environment
        let token = try TopSource.token(configuration, environment: environment)
        let addresses =
            nodes.isEmpty
            ? try await TopSource.nodes(configuration) : nodes.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        let source = TopSource(token: token, addresses: addresses)
        do {
            try await show(source, environment)
        } catch {
            await source.close()
            throw error
        }
        await source.close()
    }

    private func show(_ source: TopSource, _ environment: [String: String]) async throws {
        var model = TopModel()
        // What is wrong at the start is told in a line, not on a screen that vanishes.
        model.saw(try await source.look())
        let isScreen = !once && !json && !plain && TerminalDevice.isInteractive
        if isScreen {
            let colours = environment["NO_COLOR", default: ""].isEmpty
            await TopScreen(source: source, model: model, colours: colours).run()
            return
        }
        repeat {
            try await ContinuousClock().sleep(for: .seconds(1))
            model.saw(try await source.look())
            try printed(model)
        } while !once && !json
    }

    private func printed(_ model: TopModel) throws {
        guard let look = model.latest else { return }
        if json {
            try Output.object(TopReport(model, look))
            return
        }
        let width = TerminalDevice.isInteractive ? TerminalDevice().size.columns : Self.plainColumns
        let lines = TopView(columns: width).lines(model).map(\.text)
        Output.text(lines.map(Self.trimmed).joined(separator: "\n") + (once ? "\n" : "\n\n"))
    }

    private static func trimmed(_ line: String) -> String {
        String(line.reversed().drop { $0 == " " }.reversed())
    }
}
