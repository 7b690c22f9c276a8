import Foundation
import Testing

/// The source tree as a test's input. What each rule finds in planted snippets is in `RuleTests`.
@Suite("The source tree")
struct TidyTests {
    let tree: SourceTree

    init() throws { tree = try SourceTree.current.get() }

    @Test("Modules import what is below them, and nothing else")
    func imports() {
        expectNone(tree.files.flatMap(ImportRule.findings))
        let modules = Set(tree.files.filter { $0.path.hasPrefix("Sources/") }.compactMap(\.module))
        #expect(modules.count >= 9, "the tree was not found")
    }

    @Test("No word that has no place in the code")
    func words() throws {
        expectNone(try tree.files.flatMap(WordRule.findings))
    }

    @Test("No release build has a planted bug")
    func plantedBugs() {
        expectNone(tree.files.flatMap(PlantedBugRule.findings))
        #expect(tree.files.contains { $0.path.hasPrefix("Sources/") && $0.code.contains { $0.contains("PlantedBug") } })
    }

    @Test("No file is longer than a mind holds")
    func fileLengths() {
        expectNone(tree.files.flatMap(LengthRule.findings))
    }

    @Test("No type is longer than a mind holds, however many files it is in")
    func typeLengths() {
        expectNone(TypeLengthRule.findings(in: tree.files))
    }

    @Test("Functions that do not fit a screen are shown")
    func functionLengths() {
        expectNone(tree.files.flatMap(LengthRule.longFunctions))
    }

    @Test("All that is public in the SDK and the wire contract is explained")
    func documentation() {
        expectNone(tree.files.flatMap(DocumentationRule.findings))
    }

    @Test("A file that the page about the architecture names is there")
    func namedFiles() throws {
        let page = tree.root.appendingPathComponent("Sources/BatonCore/BatonCore.docc/Architecture.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let names = text.matches(of: #/`((?:Baton|Tests)[A-Za-z]*\/[\w\/+]+\.swift)`/#).map { String($0.output.1) }
        #expect(names.count >= 25)
        let paths = Set(tree.files.map(\.path))
        for name in names { #expect(paths.contains("Sources/" + name) || paths.contains(name), "\(name)") }
    }

    @Test("Nothing else at top level than what belongs there")
    func topLevel() throws {
        let allowed: Set<String> = [
            "Configs", "LICENSE", "Package.resolved", "Package.swift", "README.md", "Sources", "Tests", "ops",
        ]
        let entries = try FileManager.default.contentsOfDirectory(atPath: tree.root.path)
        let unknown = entries.filter { !$0.hasPrefix(".") && !allowed.contains($0) }
        #expect(unknown.isEmpty)
    }

    @Test("Generated code is of the contract that is there; ops/protoc makes it anew")
    func generatedCode() throws {
        let folder = tree.root.appendingPathComponent("Sources/BatonProtocol")
        let check = try Command.run(
            ["sha256sum", "--check", "--status", "Generated/relay.proto.sha256"], in: folder)
        #expect(check.status == 0, "relay.proto was changed after its Swift was generated: run ops/protoc")
    }

    @Test("The formatter has nothing to say", .enabled(if: Command.exists("swift")))
    func formatting() throws {
        let lint = try Command.run(
            ["swift", "format", "lint", "--strict", "--parallel", "--recursive", "Package.swift", "Sources", "Tests"],
            in: tree.root)
        #expect(lint.status == 0, "\(lint.output)")
    }

    @Test("The scripts are clean", .enabled(if: Command.exists("shellcheck")))
    func scripts() throws {
        let scripts = try FileManager.default.contentsOfDirectory(
            at: tree.root.appendingPathComponent("ops"), includingPropertiesForKeys: nil
        ).filter { file in
            (try? String(contentsOf: file, encoding: .utf8))?.hasPrefix("#!/usr/bin/env bash") == true
        }.map(\.path)
        #expect(scripts.count >= 6)
        let check = try Command.run(["shellcheck", "-x", "-P", "ops"] + scripts.sorted(), in: tree.root)
        #expect(check.status == 0, "\(check.output)")
    }

    private func expectNone(_ findings: [Finding]) {
        for finding in findings { Issue.record("\(finding)") }
    }
}
