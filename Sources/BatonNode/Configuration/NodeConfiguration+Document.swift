extension LoadedConfiguration {
    /// The configuration as a commented YAML file: what `--print-config` prints. Passwords are hidden. With nothing but
    /// defaults this is `Configs/node.yaml`, and a test compares them.
    package func document() -> String {
        var lines = [
            "# The configuration of a Baton node, each key with its default. A value is taken from the last of: this file",
            "# (baton node --config FILE, YAML or JSON), the environment (BATON_LISTEN_PORT is listen.port), flags",
            "# (--set listen.port=8081). A wrong key or value stops the start and says where it stands.",
        ]
        var group: [String] = []
        for key in NodeConfiguration.keys {
            let parts = key.name.split(separator: ".").map(String.init)
            let path = Array(parts.dropLast())
            if path.isEmpty || path.first != group.first { lines.append("") }
            for (depth, part) in path.enumerated() where group.prefix(depth + 1) != path.prefix(depth + 1) {
                lines.append("\(Self.indentation(depth))\(part):")
            }
            group = path
            let indentation = Self.indentation(path.count)
            for line in Self.wrapped("\(key.documentation) (\(key.allowed))", width: 116 - indentation.count) {
                lines.append("\(indentation)# \(line)")
            }
            let source = sources[key.name].map { "  # from \($0)" } ?? ""
            let name = parts[parts.count - 1]
            if let value = key.render(configuration) {
                lines.append("\(indentation)\(name): \(Self.yaml(value))\(source)")
            } else {
                lines.append("\(indentation)# \(name):")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func indentation(_ depth: Int) -> String { String(repeating: "  ", count: depth) }

    private static func yaml(_ value: ConfigurationValue) -> String {
        switch value {
        case .text(let text): scalar(text)
        case .list(let items): "[\(items.map(scalar).joined(separator: ", "))]"
        }
    }

    /// Plain where YAML cannot misread it, in double quotes elsewhere.
    private static func scalar(_ text: String) -> String {
        let isPlain =
            !text.isEmpty && text != "null"
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._/-".contains($0)) }
            && text.first != "-"
        if isPlain { return text }
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "\n": "\\n"
            case "\t": "\\t"
            default: String(scalar)
            }
        }
        return "\"\(escaped.joined())\""
    }

    private static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
