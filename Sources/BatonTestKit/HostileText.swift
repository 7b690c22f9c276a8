/// What somebody writes who wants to fool the people who look at it, and what must not come out of a command.
package enum HostileText {
    /// Ranges of what acts on a terminal, turns the direction of text, or is not seen; by number, so that they do not
    /// come from the same tables as the code that is tested.
    package static let ranges: [ClosedRange<UInt32>] = [
        0x00...0x1f,  // controls, ESC among them
        0x7f...0x9f,  // DEL, and the controls of eight bits: CSI, OSC ...
        0xad...0xad,  // the soft hyphen
        0x34f...0x34f, 0x61c...0x61c, 0x115f...0x1160, 0x17b4...0x17b5, 0x180b...0x180f,
        0x200b...0x200f,  // spaces without width, joiners, marks of direction
        0x2028...0x202e,  // separators of lines, embeddings and overrides of direction
        0x2060...0x206f,  // isolates of direction, more that is not seen
        0x3164...0x3164, 0xfe00...0xfe0f, 0xfeff...0xfeff, 0xffa0...0xffa0, 0xfff0...0xfffb,
        0x1bca0...0x1bca3, 0x1d173...0x1d17a, 0xe0000...0xe0fff,
    ]

    package static let scalars = ranges.flatMap { $0.compactMap(Unicode.Scalar.init) }

    /// Attacks that were carried out on other programs, and each scalar in a text of its own.
    package static let texts: [String] =
        [
            "\u{1b}[2J\u{1b}[1;1Hgone", "\u{1b}]0;title\u{07}", "\u{9b}31mred", "\u{9d}52;c;aGk=\u{9c}",
            "\u{1b}P+q544e\u{1b}\\", "moc.elgoog\u{202e}", "a\u{2066}b\u{2069}c", "invoice\u{202e}fdp.exe",
            "bob\nalice: it was me", "bob\r! not so", "bob\u{85}next", "bob\u{2028}next", "ad\u{200d}min",
            "ad\u{feff}min", "\u{3164}", "a\u{e0061}\u{e0062}\u{e007f}",
            "zalgo\(String(repeating: "\u{301}", count: 64))",
            "over\u{08}\u{08}\u{08}\u{08}", "\u{0e}shifted\u{0f}", "nul\u{00}", "x\u{fe0f}y", "\"\\\u{1b}[31m",
        ]
        + ranges.flatMap { range in
            // Of the large ranges some.
            range.count <= 64 ? Array(range) : [range.lowerBound, range.lowerBound + 1, 0xe0061, range.upperBound]
        }.compactMap(Unicode.Scalar.init).map { "a\($0)b" }

    /// Those scalars of an output that must not be there. Line breaks may.
    package static func offences(in output: String) -> [Unicode.Scalar] {
        output.unicodeScalars.filter { scalar in
            scalar != "\n" && ranges.contains { $0.contains(scalar.value) }
        }
    }
}
