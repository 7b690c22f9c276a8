/// The command that makes a run again, as a person would type it.
package enum RunCommandLine {
    /// Flags that say where things go, which another run decides anew.
    private static let dropped: Set<String> = ["--directory", "--report", "--seed"]

    /// - Parameters:
    ///   - arguments: those of this program, without its own name.
    ///   - seed: the one that was taken, whether it was given or not.
    package static func text(arguments: some Sequence<String>, seed: UInt64) -> String {
        var words: [String] = ["baton"]
        var isValueDropped = false
        for argument in arguments {
            if isValueDropped {
                isValueDropped = false
            } else if dropped.contains(argument) {
                isValueDropped = true
            } else if !dropped.contains(where: { argument.hasPrefix($0 + "=") }) {
                words.append(quoted(argument))
            }
        }
        return (words + ["--seed", "\(seed)"]).joined(separator: " ")
    }

    /// As a shell takes it for one word.
    private static func quoted(_ word: String) -> String {
        let isPlain = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-_.,:/=@%+".utf8.contains(byte)
            }
        }
        if !word.isEmpty, word.utf8.allSatisfy(isPlain) { return word }
        return "'\(word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#))'"
    }
}
