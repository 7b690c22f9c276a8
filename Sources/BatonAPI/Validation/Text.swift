import BatonCore
import Foundation

/// What people may write into each field. All text is put into Unicode's form C first, so that what looks the same is
/// the same; the messages say what is allowed.
enum Text {
    /// - Returns: the handle in lower case.
    static func handle(_ text: String, field: String = "handle") throws(APIError) -> String {
        guard !text.isEmpty else { throw .missing(field) }
        let range = Limits.Account.handleBytes
        // By bytes: only ASCII capitals are folded, so that no other letter can turn into an allowed one.
        let folded = text.utf8.map { byte in isCapital(byte) ? byte | 0x20 : byte }
        guard !CanaryHandle.isReserved(String(decoding: folded, as: UTF8.self)) else {
            throw .invalid(field, "must not begin with \"\(CanaryHandle.prefix)\": those are the nodes' own users")
        }
        guard range.contains(folded.count), let first = folded.first, isLetter(first),
            folded.allSatisfy({ isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") })
        else {
            throw .invalid(
                field,
                "has \(range.lowerBound) to \(range.upperBound) of the characters a-z, 0-9, \"_\" and \".\", "
                    + "and begins with a letter")
        }
        return String(decoding: folded, as: UTF8.self)
    }

    static func displayName(_ text: String, field: String = "display_name") throws(APIError) -> String {
        try line(text, field: field, characters: 1...Limits.Account.displayNameCharacters)
    }

    static func about(_ text: String) throws(APIError) -> String {
        try line(text, field: "about", characters: 0...Limits.Account.aboutCharacters)
    }

    static func deviceName(_ text: String) throws(APIError) -> String {
        try line(text, field: "device_name", characters: 1...Limits.Account.deviceNameCharacters)
    }

    static func platform(_ text: String) throws(APIError) -> String {
        try line(text, field: "platform", characters: 1...Limits.Account.platformCharacters)
    }

    /// A password to be set.
    static func newPassword(_ text: String, handle: String, field: String) throws(APIError) -> String {
        guard !text.isEmpty else { throw .missing(field) }
        let password = normalised(text)
        let range = Limits.Account.passwordBytes
        guard range.contains(password.utf8.count) else {
            throw .invalid(field, "has \(range.lowerBound) to \(range.upperBound) bytes")
        }
        guard password.lowercased() != handle else { throw .invalid(field, "must not be the handle") }
        return password
    }

    /// A password to be compared.
    ///
    /// - Returns: nil where nobody can have it, since it is too long.
    static func givenPassword(_ text: String, field: String) throws(APIError) -> String? {
        guard !text.isEmpty else { throw .missing(field) }
        let password = normalised(text)
        return password.utf8.count <= Limits.Account.passwordBytes.upperBound ? password : nil
    }

    /// E.164: `+`, and 8 to 15 digits that do not begin with 0. Empty is allowed: none.
    static func phone(_ text: String) throws(APIError) -> String {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { return "" }
        let digits = bytes.dropFirst()
        guard bytes[0] == UInt8(ascii: "+"), (8...15).contains(digits.count), digits.allSatisfy(isDigit),
            digits.first != UInt8(ascii: "0")
        else {
            throw .invalid("phone", "is a number in E.164: \"+\" and 8 to 15 digits, the first of which is not 0")
        }
        return text
    }

    /// `local@domain`, roughly: whether mail arrives there, only a mail can tell. Empty is allowed: none.
    static func email(_ text: String) throws(APIError) -> String {
        guard !text.isEmpty else { return "" }
        let address = normalised(text)
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        let isShaped =
            address.utf8.count <= 254 && parts.count == 2 && (1...64).contains(parts[0].utf8.count)
            && isDomain(parts[1]) && !address.unicodeScalars.contains { isForbidden($0) || $0 == " " }
        guard isShaped else {
            throw .invalid("email", "is an address like \"name@example.org\" of at most 254 bytes")
        }
        // The domain is the same in any case; the part before it is the receiver's affair.
        return "\(parts[0])@\(parts[1].lowercased())"
    }

    private static func line(
        _ text: String, field: String, characters: ClosedRange<Int>
    ) throws(APIError) -> String {
        if text.isEmpty, characters.lowerBound > 0 { throw .missing(field) }
        let line = normalised(text)
        // A character may be made of any number of scalars: four for each is generous, and a bound.
        guard characters.contains(line.count), line.unicodeScalars.count <= 4 * characters.upperBound,
            !line.unicodeScalars.contains(where: isForbidden), line.isEmpty || !line.allSatisfy(\.isWhitespace)
        else {
            throw .invalid(
                field,
                "has \(characters.lowerBound) to \(characters.upperBound) characters on one line, not only blanks, "
                    + "none of them a control character")
        }
        return line
    }

    private static func normalised(_ text: String) -> String { text.precomposedStringWithCanonicalMapping }

    /// Control characters, line ends, and the marks that turn the direction of the text around them.
    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
        }
    }

    private static func isDomain(_ text: Substring) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2 && labels.allSatisfy { !$0.isEmpty && $0.utf8.count <= 63 }
    }

    private static func isCapital(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
