/// What came, for an error's message: short and in printable ASCII, whatever it is.
package enum Excerpt {
    /// Characters that are shown.
    static let characters = 32

    /// The beginning of a text, in quotes.
    package static func quoted(_ text: String) -> String {
        "\"\(of(Array(text.utf8.prefix(4 * characters + 1))[...]))\""
    }

    /// The beginning of a text as it stands there.
    static func of(_ bytes: ArraySlice<UInt8>) -> String {
        var text = ""
        var shown = 0
        for scalar in String(decoding: bytes.prefix(4 * characters), as: UTF8.self).unicodeScalars.prefix(characters) {
            text += (0x20...0x7e).contains(scalar.value) ? String(scalar) : scalar.escaped(asASCII: true)
            shown += UTF8.width(scalar)
        }
        return shown < bytes.count ? text + "..." : text
    }
}
