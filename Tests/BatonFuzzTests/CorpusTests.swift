import Foundation
import Testing

@testable import BatonFuzz

/// The inputs that fuzzing begins with: what clients send, what once went wrong, and what came of looking for more.
@Suite("Inputs of the fuzzers")
struct CorpusTests {
    private static let files = 48

    struct Input: CustomTestStringConvertible, Sendable {
        let target: FuzzTarget
        let name: String
        let bytes: [UInt8]

        var testDescription: String { "\(target.rawValue)/\(name)" }
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "Corpora")

    static let inputs: [Input] = FuzzTarget.allCases.flatMap { target in
        let folder = folder.appendingPathComponent(target.rawValue)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().compactMap { name in
            let data = FileManager.default.contents(atPath: folder.appendingPathComponent(name).path)
            return data.map { Input(target: target, name: name, bytes: Array($0)) }
        }
    }

    @Test("Nothing is found in any of them", arguments: inputs)
    func nothingFound(input: Input) throws {
        try input.target.run(input.bytes)
    }

    @Test("Each target has some, few enough to be run every time and small enough to be read")
    func sizes() throws {
        for target in FuzzTarget.allCases {
            let inputs = Self.inputs.filter { $0.target == target }
            #expect((8...Self.files).contains(inputs.count), "\(target) has \(inputs.count)")
            for input in inputs { #expect(input.bytes.count <= target.bytes, "\(input.testDescription)") }
        }
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(folders) == Set(FuzzTarget.allCases.map(\.rawValue)))
    }

    @Test("Nothing is found in any of them when it is cut anywhere", arguments: FuzzTarget.allCases)
    func cut(target: FuzzTarget) throws {
        for input in Self.inputs where input.target == target {
            let step = max(1, input.bytes.count / 16)
            for count in stride(from: 0, to: input.bytes.count, by: step) {
                #expect(throws: Never.self, "\(input.testDescription), cut at \(count)") {
                    try target.run(Array(input.bytes[..<count]))
                }
            }
        }
    }
}
