/// Makes lines of bytes, however they are split. A line that is too long is cut: the rest of it is dropped.
struct LineSplitter {
    /// Bytes of one line; no message may be longer.
    static let lineBytes = 64 * 1024

    private var open: [UInt8] = []

    mutating func lines(of bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines.append(text)
                open = []
            } else if open.count < Self.lineBytes {
                open.append(byte)
            }
        }
        return lines
    }

    /// The last line, where it has no end.
    mutating func end() -> String? {
        defer { open = [] }
        return open.isEmpty ? nil : text
    }

    private var text: String {
        String(decoding: open.last == UInt8(ascii: "\r") ? open.dropLast() : open[...], as: UTF8.self)
    }
}
