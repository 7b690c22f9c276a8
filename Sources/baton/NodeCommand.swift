import ArgumentParser
import BatonNode
import Foundation
import Logging

/// `baton node`: runs one relay node until SIGTERM or SIGINT.
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Runs one relay node.",
        discussion: """
            Values come from the last of: defaults, the file, the environment (BATON_LISTEN_PORT is listen.port), flags. \
            --print-config shows all keys with their meaning, the values in force and where each was set.
            """)

    @Option(help: "A YAML or JSON file (environment: BATON_CONFIG).")
    var config: String?

    @Option(name: .customLong("set"), help: ArgumentHelp("Sets any key; may be repeated.", valueName: "key=value"))
    var assignments: [String] = []

    @Option(help: "node.name") var name: String?
    @Option(help: "listen.host") var host: String?
    @Option(help: "listen.port") var port: String?
    @Option(help: "redis.url; a password belongs into BATON_REDIS_URL, since others can see a command line.")
    var redis: String?
    @Option(help: "store.path") var store: String?
    @Option(help: "log.level") var logLevel: String?
    @Option(help: "log.format") var logFormat: String?
    @Flag(help: "Test only: mounts an echo endpoint without authentication.") var echo = false

    @Flag(help: "Prints the configuration in force and stops.") var printConfig = false

    func run() async throws {
        let loaded = try load()
        if printConfig {
            Output.text(loaded.document())
            return
        }
        RelayLogHandler.bootstrap(loaded.configuration.log)
        let logger = Logger(label: "node")
        try await Node(configuration: loaded.configuration, logger: logger).run()
    }

    private func load() throws(ConfigurationError) -> LoadedConfiguration {
        let environment = ProcessInfo.processInfo.environment
        var flags: [ConfigurationSetting] = []
        for assignment in assignments { flags.append(try ConfigurationSetting(assignment: assignment)) }
        for (flag, key, value) in named {
            guard let value else { continue }
            flags.append(ConfigurationSetting(key: key, value: .text(value), source: .flag(flag)))
        }
        return try NodeConfiguration.load(
            file: config ?? environment["BATON_CONFIG"], environment: environment, flags: flags)
    }

    private var named: [(flag: String, key: String, value: String?)] {
        [
            ("--name", "node.name", name), ("--host", "listen.host", host), ("--port", "listen.port", port),
            ("--redis", "redis.url", redis), ("--store", "store.path", store),
            ("--log-level", "log.level", logLevel), ("--log-format", "log.format", logFormat),
            ("--echo", "echo", echo ? "true" : nil),
        ]
    }
}
