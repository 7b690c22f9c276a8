import BatonCore

/// Why a command ends with an exit status that is not zero: one sentence for the person who ran it.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = PrintableText.escaped(description)
    }
}
