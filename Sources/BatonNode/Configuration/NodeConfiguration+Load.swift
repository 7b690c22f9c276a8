package import BatonCore

/// A value for a key, and where it was set.
package struct ConfigurationSetting: Sendable, Hashable {
    package var key: String
    package var value: ConfigurationValue
    package var source: ConfigurationSource

    package init(key: String, value: ConfigurationValue, source: ConfigurationSource) {
        self.key = key
        self.value = value
        self.source = source
    }

    /// `key=value`, as `--set` takes it.
    package init(assignment: String) throws(ConfigurationError) {
        guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
            // The text is not repeated: who forgot the key may have written a password.
            throw ConfigurationError(source: .flag("--set"), problem: "is not key=value")
        }
        self.init(
            key: String(assignment[..<equals]), value: .text(String(assignment[assignment.index(after: equals)...])),
            source: .flag("--set"))
    }
}

/// A configuration and where each of its values came from.
package struct LoadedConfiguration: Sendable {
    package var configuration = NodeConfiguration()
    /// By key; a key that is not here has its default.
    package var sources: [String: ConfigurationSource] = [:]
}

extension NodeConfiguration {
    /// Variables of the other commands, which share the prefix and the environment.
    private static let otherVariables: Set<String> = [
        "BATON_CONFIG", "BATON_PASSWORD", "BATON_URL", AdminToken.environmentName,
    ]
    private static let otherPrefixes = ["BATON_CHAT_", "BATON_BENCH_", "BATON_TEST_"]

    /// Defaults, then the file, then the environment, then flags: the later wins.
    package static func load(
        file: String?, environment: [String: String], flags: [ConfigurationSetting]
    ) throws(ConfigurationError) -> LoadedConfiguration {
        var loaded = LoadedConfiguration()
        var settings: [ConfigurationSetting] = []
        if let file { settings += try ConfigurationFile.settings(path: file) }
        settings += try variables(environment)
        #if DEBUG
            loaded.configuration.plantedBug = try plantedBug(environment)
        #endif
        settings += flags
        let keysByName = Dictionary(uniqueKeysWithValues: keys.map { ($0.name, $0) })
        for setting in settings {
            guard let key = keysByName[setting.key] else { throw unknown(setting.key, setting.source) }
            do throws(ConfigurationValueError) {
                try key.apply(setting.value, &loaded.configuration)
            } catch {
                throw ConfigurationError(
                    key: key.name, source: setting.source, problem: error.problem, allowed: key.allowed)
            }
            loaded.sources[key.name] = setting.source
        }
        return loaded
    }

    private static func variables(
        _ environment: [String: String]
    ) throws(ConfigurationError) -> [ConfigurationSetting] {
        let keysByVariable = Dictionary(uniqueKeysWithValues: keys.map { ($0.environmentName, $0.name) })
        var settings: [ConfigurationSetting] = []
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("BATON_") {
            #if DEBUG
                if name == plantedBugVariable { continue }
            #endif
            if let key = keysByVariable[name] {
                settings.append(ConfigurationSetting(key: key, value: .text(value), source: .environment(name)))
            } else if !otherVariables.contains(name), !otherPrefixes.contains(where: name.hasPrefix),
                !isServiceLink(name)
            {
                throw ConfigurationError(
                    source: .environment(name),
                    problem: "sets no key\(suggestion(name, among: Array(keysByVariable.keys)))")
            }
        }
        return settings
    }

    /// Kubernetes and Docker tell each container of a service called `baton` by variables such as
    /// `BATON_SERVICE_HOST` and `BATON_PORT_8080_TCP_ADDR`; they are not mistakes.
    private static func isServiceLink(_ name: String) -> Bool {
        let rest = name.dropFirst("BATON_".count)
        return rest.contains("SERVICE_HOST") || rest.contains("SERVICE_PORT") || rest == "PORT"
            || (rest.contains("PORT_") && (rest.contains("_TCP") || rest.contains("_UDP")))
    }

    private static func unknown(_ name: String, _ source: ConfigurationSource) -> ConfigurationError {
        let names = keys.map(\.name)
        let isGroup = names.contains { $0.hasPrefix(name + ".") }
        let problem =
            isGroup ? "is a group of keys, not a key" : "is not a key\(suggestion(name, among: names))"
        return ConfigurationError(key: name, source: source, problem: problem, allowed: nil)
    }

    /// The name that was probably meant, where one is near.
    private static func suggestion(_ name: String, among names: [String]) -> String {
        let distances = names.map { (name: $0, distance: editDistance(name.lowercased(), $0.lowercased())) }
        guard let nearest = distances.min(by: { ($0.distance, $0.name) < ($1.distance, $1.name) }),
            nearest.distance <= 3
        else { return "; baton node --print-config shows all of them" }
        return "; did you mean \(nearest.name)?"
    }

    private static func editDistance(_ left: String, _ right: String) -> Int {
        let right = Array(right.prefix(64).utf8)
        var row = Array(0...right.count)
        for (i, a) in left.prefix(64).utf8.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let substitution = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }

    /// The configured name, or one made of the host's name and the port.
    package func nodeID(hostName: String) -> NodeID? {
        if let name = node.name { return name }
        let suffix = "-\(listen.port)"
        let host = hostName.prefix { $0 != "." }.lowercased().map { character -> Character in
            character.isASCII && (character.isLetter || character.isNumber) ? character : "-"
        }
        let name = String(host.prefix(NodeID.maximumLength - suffix.count))
        return NodeID((name.isEmpty ? "node" : name) + suffix)
    }
}
