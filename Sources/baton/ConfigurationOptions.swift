import ArgumentParser
import BatonNode
import Foundation

/// How the commands that look at a cluster learn where it is: as its nodes do.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: "A node's YAML or JSON file (environment: BATON_CONFIG).")
    var config: String?

    @Option(name: .customLong("set"), help: ArgumentHelp("Sets any key; may be repeated.", valueName: "key=value"))
    var assignments: [String] = []

    @Option(help: "redis.url; a password belongs into BATON_REDIS_URL, since others can see a command line.")
    var redis: String?

    @Option(help: "store.path") var store: String?

    func load(_ more: [(flag: String, key: String, value: String?)] = []) throws(ConfigurationError)
        -> LoadedConfiguration
    {
        let environment = ProcessInfo.processInfo.environment
        var flags: [ConfigurationSetting] = []
        for assignment in assignments { flags.append(try ConfigurationSetting(assignment: assignment)) }
        for (flag, key, value) in [("--redis", "redis.url", redis), ("--store", "store.path", store)] + more {
            guard let value else { continue }
            flags.append(ConfigurationSetting(key: key, value: .text(value), source: .flag(flag)))
        }
        return try NodeConfiguration.load(
            file: config ?? environment["BATON_CONFIG"], environment: environment, flags: flags)
    }
}
