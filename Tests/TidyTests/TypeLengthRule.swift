/// A type is as long as its declaration and all its extensions of its module together: dividing a file divides no type.
enum TypeLengthRule {
    static let typeLines = 600
    /// Types that are longer, and the lines that they may have. None may grow; a new one needs a reason that is written here.
    static let large: [String: Int] = [
        // The parts of one event loop.
        "BatonGateway.RelayLoop": 1_380,
        "BatonGateway.RelayHandler": 730,
        // One pass over the histories a file.
        "BatonHistory.HistoryChecker": 1_230,
        // What applications see of the SDK: one actor, whose state machines are types of their own.
        "BatonClient.BatonClient": 1_130,
        // The ports of one store, a file each.
        "BatonStore.SQLiteStore": 980,
        // One case after the other.
        "BatonTestKit.MessageStoreConformance": 620,
    ]

    static func findings(in files: [SourceFile]) -> [Finding] {
        var lengths: [String: Int] = [:]
        var places: [String: String] = [:]
        for file in files where file.path.hasPrefix("Sources/") && !file.isGenerated {
            guard let module = file.module else { continue }
            for (type, lines) in types(in: file) {
                let name = "\(module).\(type)"
                lengths[name, default: 0] += lines
                places[name] = places[name].map { min($0, file.path) } ?? file.path
            }
        }
        return lengths.filter { $0.value > large[$0.key] ?? typeLines }.sorted { $0.key < $1.key }.map { name, lines in
            Finding(
                path: places[name] ?? "", line: 1,
                problem: "\(name) has \(lines) lines in all its files, more than \(large[name] ?? typeLines)")
        }
    }

    /// The types that are declared or extended at the outermost level of a file, and how many lines each has there.
    private static func types(in file: SourceFile) -> [(name: String, lines: Int)] {
        var types: [(name: String, lines: Int)] = []
        var open: (name: String, line: Int)?
        var depth = 0
        for (number, line) in file.code.enumerated() {
            if depth == 0, let name = typeName(line) { open = (name, number) }
            for character in line {
                if character == "{" { depth += 1 }
                guard character == "}" else { continue }
                depth -= 1
                if depth == 0, let type = open {
                    types.append((type.name, number - type.line + 1))
                    open = nil
                }
            }
        }
        return types
    }

    private static func typeName(_ line: Substring) -> String? {
        let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }
        let kinds: Set<Substring> = ["struct", "class", "enum", "actor", "extension", "protocol"]
        guard let kind = words.firstIndex(where: { kinds.contains($0) }), words.indices.contains(kind + 1) else {
            return nil
        }
        return words[kind + 1].split(separator: ".").first.map { String($0) }
    }
}
