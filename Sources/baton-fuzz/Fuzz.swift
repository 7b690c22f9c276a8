import BatonFuzz
import CLibFuzzer
import Glibc
import Synchronization

/// Runs one target under libFuzzer: `baton-fuzz TARGET [ARGUMENTS OF libFuzzer]`.
///
/// A finding ends the process with its words; libFuzzer keeps the input.
@main
enum Fuzz {
    private static let target = Mutex<FuzzTarget?>(nil)

    static func main() {
        let names = FuzzTarget.allCases.map(\.rawValue)
        guard let name = CommandLine.arguments.dropFirst().first, let target = FuzzTarget(rawValue: name) else {
            write("usage: baton-fuzz TARGET [ARGUMENTS OF libFuzzer]; the targets are \(names.joined(separator: ", "))")
            exit(2)
        }
        Self.target.withLock { $0 = target }
        // libFuzzer takes the first argument for the program's name.
        var count = CommandLine.argc - 1
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { start, count in
                Fuzz.run(Array(UnsafeBufferPointer(start: start, count: count)))
                return 0
            })
    }

    private static func run(_ bytes: [UInt8]) {
        guard let target = target.withLock({ $0 }) else { return }
        do throws(FuzzFinding) {
            try target.run(bytes)
            try target.measure(bytes)
        } catch {
            write("FINDING: \(error)")
            abort()
        }
    }

    private static func write(_ line: String) {
        var line = line + "\n"
        line.withUTF8 { bytes in _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    }
}
