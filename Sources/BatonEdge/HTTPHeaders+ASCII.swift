import NIOHTTP1

extension HTTPHeaders {
    /// Leaves out the fields whose value is not ASCII: nothing here reads one that may be. What reads fields, libraries
    /// included, compares and splits by characters, which costs the square of the length of a run of combining marks. The
    /// parser refuses such targets itself.
    ///
    /// A list to which each hop appends is kept, with a question mark for each of those bytes: whatever a client wrote at its
    /// beginning, what a proxy wrote at its end counts.
    mutating func keepASCII() {
        guard !allSatisfy({ Self.isASCII($0.value) }) else { return }
        self = HTTPHeaders(
            compactMap { name, value in
                if Self.isASCII(value) { return (name, value) }
                guard name.lowercased() == "x-forwarded-for" else { return nil }
                let bytes = value.utf8.map { $0 < 0x80 ? $0 : UInt8(ascii: "?") }
                return (name, String(decoding: bytes, as: UTF8.self))
            })
    }

    private static func isASCII(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }
}
