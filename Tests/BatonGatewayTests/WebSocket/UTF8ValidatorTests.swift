import BatonCore
import BatonGateway
import BatonTestKit
import Testing

@Suite struct UTF8ValidatorTests {
    @Test("It agrees with the standard library on every pair and on characters at the edges")
    func agreement() {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                check([first, second])
                check([first, second, 0x80])
                check([first, second, 0xBF, 0xBF])
                check(Array("twelve bytes".utf8) + [first, second])
            }
        }
    }

    @Test("Random bytes are judged as the standard library judges them, however they are cut")
    func random() {
        var generator = SeededGenerator(seed: 11)
        let pieces: [[UInt8]] = [
            Array("plain words".utf8), Array("é".utf8), Array("✓".utf8), Array("𝄞".utf8), [0xED, 0x9F, 0xBF],
            [0xED, 0xA0, 0x80], [0xF4, 0x8F, 0xBF, 0xBF], [0xF4, 0x90], [0xC0], [0xE0, 0x80], [0xFF], [0x80],
        ]
        for _ in 0..<4_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...6, using: &generator) {
                // Mostly right ones, so that not everything fails at once.
                let last = Int.random(in: 0...9, using: &generator) == 0 ? pieces.count : 5
                bytes += pieces[Int.random(in: 0..<last, using: &generator)]
            }
            if Int.random(in: 0...3, using: &generator) == 0 { _ = bytes.popLast() }
            check(bytes)
        }
    }

    private func check(_ bytes: [UInt8]) {
        let isText = String(validating: bytes, as: UTF8.self) != nil
        for cut in [0, bytes.count / 2, max(0, bytes.count - 1)] {
            var validator = UTF8Validator()
            let accepted =
                bytes.withUnsafeBytes { all in
                    validator.accepts(UnsafeRawBufferPointer(rebasing: all.prefix(cut)))
                        && validator.accepts(UnsafeRawBufferPointer(rebasing: all.dropFirst(cut)))
                } && validator.isComplete
            if accepted != isText { Issue.record("\(bytes) cut at \(cut): \(accepted), not \(isText)") }
        }
    }
}
