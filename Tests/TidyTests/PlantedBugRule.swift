/// Planted bugs are for debug builds: in the sources they stand inside of `#if DEBUG`, so that no release build has them.
enum PlantedBugRule {
    static func findings(in file: SourceFile) -> [Finding] {
        guard file.path.hasPrefix("Sources/") else { return [] }
        var findings: [Finding] = []
        /// For each open `#if`: whether its branch is of debug builds only.
        var branches: [Bool] = []
        for (number, line) in file.code.enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace)
            switch words.first {
            case "#if": branches.append(words.dropFirst() == ["DEBUG"])
            case "#else", "#elseif": if !branches.isEmpty { branches[branches.count - 1] = false }
            case "#endif": _ = branches.popLast()
            default: break
            }
            guard line.lowercased().contains("plantedbug"), !branches.contains(true) else { continue }
            findings.append(
                Finding(path: file.path, line: number + 1, problem: "a planted bug that a release build would have"))
        }
        return findings
    }
}
