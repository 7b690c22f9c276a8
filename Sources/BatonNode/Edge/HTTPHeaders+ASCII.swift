import NIOHTTP1

extension HTTPHeaders {
    /// Leaves out the fields whose value is not ASCII: nothing here reads one that may be. What reads fields, libraries
    /// included, compares and splits by characters, which costs the square of the length of a run of combining marks. The
    /// parser refuses such targets itself.
    mutating func keepASCII() {
        guard !allSatisfy({ Self.isASCII($0.value) }) else { return }
        self = HTTPHeaders(filter { Self.isASCII($0.value) })
    }

    private static func isASCII(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }
}
