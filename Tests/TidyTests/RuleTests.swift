import Testing

/// Each rule finds what it is there for.
@Suite("The rules of the source tree")
struct RuleTests {
    @Test(
        "An import that goes upwards or sideways is found",
        arguments: [
            ("BatonCore", "import Foundation"), ("BatonRedis", "import BatonStore"), ("BatonStore", "import NIOCore"),
            ("BatonGateway", "public import BatonAPI"), ("BatonProtocol", "@testable import BatonClient"),
            ("BatonAPI", "@preconcurrency package import struct BatonRedis.RedisURL"),
            ("BatonClient", "import BatonNode; import Foundation"), ("BatonUnknown", "import BatonCore"),
        ])
    func forbiddenImports(module: String, line: String) {
        #expect(ImportRule.findings(in: file("Sources/\(module)/A.swift", "\(line)\n")).map(\.line) == [1])
    }

    @Test("Imports that go downwards are not, nor are those in comments and strings")
    func allowedImports() {
        let text =
            "import Synchronization\npublic import BatonCore\n// import BatonStore\nlet a = \"import BatonStore\"\n"
        #expect(ImportRule.findings(in: file("Sources/BatonRedis/A.swift", text)).isEmpty)
        #expect(ImportRule.findings(in: file("Tests/BatonCoreTests/A.swift", "import Foundation\n")).isEmpty)
    }

    @Test(
        "A word without a place is found",
        arguments: [
            "let a = try! b()", "fatalError()", "final class A: @unchecked Sendable {}", "let a = b as! C",
            "Task { await a() }", "Task.detached { }", "Task(priority: .high) { }", "try await Task.sleep(for: x)",
            "usleep(3)", "sleep(1)", "print(1)", "process.waitUntilExit()", "process.terminationHandler = {",
            "handle.readabilityHandler = nil",
            "let a = try WireLogin(jsonUTF8Bytes: b)", "import XCTest", "// TO" + "DO: later", "let a = \"FIX" + "ME\"",
        ])
    func words(line: String) throws {
        #expect(try WordRule.findings(in: file("Sources/BatonCore/A.swift", "\n\(line)\n")).map(\.line) == [2])
    }

    @Test(
        "A phrase that is hard to read is found in comments",
        arguments: [
            "/// How manieth of the sender.", "// The end thereof.", "// It did not leave by the door.",
            "// The node is of the opinion that", "// all who wait, lest they wait", "// passes the working set by",
        ])
    func phrases(line: String) throws {
        #expect(try WordRule.findings(in: file("Sources/BatonCore/A.swift", "\n\(line)\n")).map(\.line) == [2])
        #expect(try WordRule.findings(in: file("Tests/TidyTests/A.swift", line)).isEmpty)
    }

    @Test(
        "What only looks like one is not",
        arguments: [
            "// fatalError is not for us", "let a = \"try! it\"", "try await clock.sleep(for: x)", "group.addTask { }",
            "let task = makeTask()", "footprint(1)", "let a = try b.jsonUTF8Bytes(options: c)",
            "let a = \"\"\"\n    try! b\n    \"\"\"",
            "/* print(1) /* */ try! */",
            "let a = #\"a \"try!\" b\"#", "let a = \"\\(b[\"try!\"]) print(\"",
        ])
    func otherWords(text: String) throws {
        #expect(try WordRule.findings(in: file("Sources/BatonCore/A.swift", text)).isEmpty)
    }

    @Test("Code inside of an interpolation is code")
    func interpolation() throws {
        let text = "let a = \"x \\(try! b(\"y)\")) z\"\nprint(1)"
        let findings = try WordRule.findings(in: file("Sources/BatonCore/A.swift", text))
        #expect(findings.map(\.line).sorted() == [1, 2])
    }

    @Test("Only one file may print, tests may start tasks, generated code may do as it likes")
    func placesOfWords() throws {
        for line in ["print(1)", "FileHandle.standardError.write(x)", "StandardOutput.write(x, to: 1)"] {
            #expect(try WordRule.findings(in: file("Sources/baton/A.swift", line)).count == 1)
        }
        let screen = file("Sources/baton/Terminal/A.swift", "StandardOutput.write(x, to: 1)")
        #expect(try WordRule.findings(in: screen).isEmpty)
        #expect(try WordRule.findings(in: file("Tests/A/A.swift", "Task { }")).isEmpty)
        #expect(try WordRule.findings(in: file("Tests/A/A.swift", "try await Task.sleep(for: x)")).count == 1)
        #expect(try WordRule.findings(in: file("Sources/BatonProtocol/Generated/a.pb.swift", "try! a()")).isEmpty)
    }

    @Test("A planted bug outside of #if DEBUG is found, in its #else too")
    func plantedBugs() {
        let text = """
            let a: PlantedBug?
            #if DEBUG
                let b: PlantedBug?
                #if os(Linux)
                    let c: PlantedBug?
                #endif
            #else
                let plantedBug = 1
            #endif
            #if !DEBUG
                let d: PlantedBug?
            #endif
            // PlantedBug
            """
        #expect(PlantedBugRule.findings(in: file("Sources/BatonCore/A.swift", text)).map(\.line) == [1, 8, 11])
        #expect(PlantedBugRule.findings(in: file("Tests/A/A.swift", text)).isEmpty)
    }

    @Test("A file of one line too many is found")
    func fileLength() {
        let line = "let a = 1\n"
        let longest = file("Sources/A/A.swift", String(repeating: line, count: LengthRule.fileLines))
        let tooLong = file("Sources/A/A.swift", String(repeating: line, count: LengthRule.fileLines + 1))
        #expect(LengthRule.findings(in: longest).isEmpty)
        #expect(LengthRule.findings(in: tooLong).count == 1)
    }

    @Test("A type of one line too many is found, over all its files, and not those of another module")
    func typeLength() {
        func part(_ module: String, _ kind: String, lines: Int) -> SourceFile {
            file(
                "Sources/\(module)/\(kind).swift", "\(kind) A {\n" + String(repeating: "x\n", count: lines - 2) + "}\n")
        }
        let half = TypeLengthRule.typeLines / 2
        let longest = [part("B", "struct", lines: half), part("B", "extension", lines: half)]
        #expect(TypeLengthRule.findings(in: longest + [part("C", "extension", lines: half)]).isEmpty)
        #expect(TypeLengthRule.findings(in: longest + [part("B", "public extension", lines: 2)]).count == 1)
    }

    @Test("A function of one line too many is found, with the line of its start")
    func functionLength() {
        func text(lines: Int) -> String {
            "protocol P {\n    func none()\n}\nstruct A {\n    @discardableResult\n    private static func a(\n        b: Int\n    ) {\n"
                + String(repeating: "        if b { c() }\n", count: lines - 4) + "    }\n    var x: Int { 1 }\n}\n"
        }
        #expect(LengthRule.longFunctions(in: file("Sources/A/A.swift", text(lines: LengthRule.functionLines))).isEmpty)
        let findings = LengthRule.longFunctions(
            in: file("Sources/A/A.swift", text(lines: LengthRule.functionLines + 1)))
        #expect(findings.map(\.line) == [6])
    }

    @Test("A public declaration without an explanation is found")
    func documentation() {
        let text = """
            /// Explained.
            public struct A {
                public func b() {}
                /// Explained.
                @discardableResult
                public func c() -> Int { 1 }
                public let d = 1
                public init() {}

                public var f: Int { 3 }
                public var description: String { "" }
            }
            """
        #expect(DocumentationRule.findings(in: file("Sources/BatonClient/A.swift", text)).map(\.line) == [3, 10])
        #expect(DocumentationRule.findings(in: file("Sources/BatonCore/A.swift", text)).isEmpty)
    }

    private func file(_ path: String, _ text: String) -> SourceFile { SourceFile(path: path, text: text) }
}
