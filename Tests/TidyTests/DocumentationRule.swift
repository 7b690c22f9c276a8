/// What others build on is explained: each public type, function and computed property of the SDK and of the wire
/// contract. Constants and initializers are explained by their names and their type.
enum DocumentationRule {
    static let modules: Set<String> = ["BatonClient", "BatonProtocol"]

    /// Requirements of the standard library's protocols, which say what these do.
    private static let known = [
        "var description:", "var debugDescription:", "var errorDescription:", "init(rawValue:", "func hash(into",
        "static func ==", "static func <", "public init(", "func encode(to", "func makeAsyncIterator",
        "mutating func next(", "public let ", "typealias AsyncIterator", "struct AsyncIterator", "typealias Failure",
        "var unownedExecutor:", "typealias Element",
    ]

    static func findings(in file: SourceFile) -> [Finding] {
        guard file.path.hasPrefix("Sources/"), !file.isGenerated, let module = file.module, modules.contains(module)
        else { return [] }
        return file.code.indices.compactMap { number in
            let line = file.code[number].drop { $0 == " " }
            guard line.hasPrefix("public "), ImportRule.imported(line) == nil, !line.hasPrefix("public extension")
            else { return nil }
            if known.contains(where: line.contains) || isDocumented(number, in: file) { return nil }
            return Finding(path: file.path, line: number + 1, problem: "undocumented: \(line.prefix(60))")
        }
    }

    /// Whether a doc comment stands above the declaration, or above the attributes that belong to it.
    private static func isDocumented(_ number: Int, in file: SourceFile) -> Bool {
        var above = number - 1
        while above >= 0 {
            let line = file.lines[above].drop { $0 == " " }
            if line.hasPrefix("///") || line.hasSuffix("*/") { return true }
            guard line.hasPrefix("@") || line.hasPrefix("#if") else { return false }
            above -= 1
        }
        return false
    }
}
