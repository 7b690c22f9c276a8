import Foundation

/// The repository as the tests of this target see it.
struct SourceTree {
    let root: URL
    /// All Swift files under Sources and Tests, and the manifest.
    let files: [SourceFile]

    /// The tree that this file was compiled from.
    static let current = Result { try SourceTree(containing: #filePath) }

    init(containing path: String) throws {
        var folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        while !FileManager.default.fileExists(atPath: folder.appendingPathComponent("Package.swift").path) {
            guard folder.path != "/" else { throw CocoaError(.fileNoSuchFile) }
            folder.deleteLastPathComponent()
        }
        root = folder
        var paths = ["Package.swift"]
        for directory in ["Sources", "Tests"] {
            let found = FileManager.default.enumerator(atPath: folder.appendingPathComponent(directory).path)
            while let path = found?.nextObject() as? String {
                if path.hasSuffix(".swift") { paths.append("\(directory)/\(path)") }
            }
        }
        files = try paths.sorted().map { path in
            SourceFile(path: path, text: try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8))
        }
    }
}

/// One Swift file, by its path in the repository.
struct SourceFile {
    let path: String
    let lines: [Substring]
    /// The same lines with comments and the contents of strings blanked out.
    let code: [Substring]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        code = CodeText.blanked(text).split(separator: "\n", omittingEmptySubsequences: false)
    }

    var isGenerated: Bool { path.contains("/Generated/") }

    /// `BatonCore` of `Sources/BatonCore/Limits.swift`; nil for the manifest.
    var module: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 ? String(parts[1]) : nil
    }

    var isTest: Bool { path.hasPrefix("Tests/") }
}

/// What is wrong where, as a line that an editor can jump to.
struct Finding: Hashable, CustomStringConvertible {
    var path: String
    var line: Int
    var problem: String

    var description: String { "\(path):\(line): \(problem)" }
}
