import Foundation
import Yams

/// Reads the settings of a YAML or JSON file, with the line of each. JSON is read as the YAML that it is.
enum ConfigurationFile {
    /// A configuration has a few kilobytes; more is a wrong file.
    static let maximumBytes = 1024 * 1024
    private static let maximumDepth = 8

    static func settings(path: String) throws(ConfigurationError) -> [ConfigurationSetting] {
        let text = try read(path)
        let root: Yams.Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw describe(error, path: path)
        }
        // An empty file, or one with comments only, sets nothing.
        guard let root, root.null == nil else { return [] }
        var settings: [ConfigurationSetting] = []
        try collect(root, prefix: [], path: path, into: &settings)
        return settings
    }

    private static func read(_ path: String) throws(ConfigurationError) -> String {
        func failure(_ problem: String) -> ConfigurationError {
            ConfigurationError(source: .file(path, line: nil), problem: problem)
        }
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw failure(FileManager.default.fileExists(atPath: path) ? "cannot be read" : "does not exist")
        }
        let bytes: Data
        do {
            bytes = try handle.read(upToCount: maximumBytes + 1) ?? Data()
            try handle.close()
        } catch {
            throw failure("cannot be read")
        }
        guard bytes.count <= maximumBytes else { throw failure("has more than \(maximumBytes) bytes") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw failure("is not UTF-8") }
        return text
    }

    private static func collect(
        _ node: Yams.Node, prefix: [String], path: String, into settings: inout [ConfigurationSetting]
    ) throws(ConfigurationError) {
        let name = prefix.joined(separator: ".")
        let source = ConfigurationSource.file(path, line: node.mark?.line)
        switch node {
        case .mapping(let mapping):
            guard prefix.count < maximumDepth else {
                throw ConfigurationError(key: name, source: source, problem: "is nested too deeply", allowed: nil)
            }
            for (key, value) in mapping {
                guard let text = key.scalar?.string else {
                    throw ConfigurationError(source: source, problem: "has a key that is no text")
                }
                try collect(value, prefix: prefix + [text], path: path, into: &settings)
            }
        case .sequence(let sequence):
            var items: [String] = []
            for item in sequence {
                guard let text = item.scalar?.string else {
                    throw ConfigurationError(
                        key: name, source: source, problem: "has an item that is no text", allowed: nil)
                }
                items.append(text)
            }
            guard !prefix.isEmpty else { throw notKeys(source) }
            settings.append(ConfigurationSetting(key: name, value: .list(items), source: source))
        case .scalar(let scalar):
            guard !prefix.isEmpty else { throw notKeys(source) }
            // `advertise:` without a value, or null, leaves the default.
            if node.null != nil { return }
            settings.append(ConfigurationSetting(key: name, value: .text(scalar.string), source: source))
        case .alias:
            throw ConfigurationError(
                key: name, source: source, problem: "is an alias, which is not supported", allowed: nil)
        }
    }

    private static func notKeys(_ source: ConfigurationSource) -> ConfigurationError {
        ConfigurationError(source: source, problem: "is not a mapping of keys to values")
    }

    /// Yams tells an error in several lines with a drawing; one line is enough to find it.
    private static func describe(_ error: any Error, path: String) -> ConfigurationError {
        func failure(_ problem: String, _ line: Int?) -> ConfigurationError {
            ConfigurationError(source: .file(path, line: line), problem: problem)
        }
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return failure(problem, mark.line)
        case .reader(let problem, _, _, _):
            return failure(problem, nil)
        case .duplicatedKeysInMapping(let duplicates, let context):
            return failure("has \(duplicates.sorted().joined(separator: ", ")) twice", context.mark.line)
        default:
            return failure("is neither YAML nor JSON", nil)
        }
    }
}
