import BatonCore
import Foundation

/// What people may write into each field. All text is put into Unicode's form C, so that what looks the same is the
/// same; the messages say what is allowed.
///
/// A text is bounded before it is looked at. Form C, and Swift's own `==`, `hash`, `hasPrefix` and `split` by a character,
/// cost the square of the length of a run of combining marks.
package enum Text {
    /// - Returns: the handle in lower case.
    package static func handle(_ text: String, field: String = "handle") throws(APIError) -> String {
        guard !text.isEmpty else { throw .missing(field) }
        let range = Limits.Account.handleBytes
        // By bytes: only ASCII capitals are folded, so that no other letter can turn into an allowed one.
        let folded = text.utf8.prefix(range.upperBound + 1).map { byte in isCapital(byte) ? byte | 0x20 : byte }
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

    /// The handle of a new user.
    package static func newHandle(_ text: String) throws(APIError) -> String {
        let handle = try handle(text)
        guard !ReservedHandles.contains(handle) else {
            throw .invalid("handle", "is reserved: it looks like one of those who run the relay, or like everybody")
        }
        return handle
    }

    package static func displayName(_ text: String, field: String = "display_name") throws(APIError) -> String {
        try line(text, field: field, characters: 1...Limits.Account.displayNameCharacters)
    }

    package static func about(_ text: String) throws(APIError) -> String {
        try line(text, field: "about", characters: 0...Limits.Account.aboutCharacters)
    }

    package static func deviceName(_ text: String) throws(APIError) -> String {
        try line(text, field: "device_name", characters: 1...Limits.Account.deviceNameCharacters)
    }

    package static func platform(_ text: String) throws(APIError) -> String {
        try line(text, field: "platform", characters: 1...Limits.Account.platformCharacters)
    }

    /// A password to be set.
    package static func newPassword(_ text: String, handle: String, field: String) throws(APIError) -> String {
        guard !text.isEmpty else { throw .missing(field) }
        let range = Limits.Account.passwordBytes
        guard let password = normalised(text, bytes: range.upperBound), range.contains(password.utf8.count) else {
            throw .invalid(field, "has \(range.lowerBound) to \(range.upperBound) bytes, \(marksRule)")
        }
        guard password.lowercased() != handle else { throw .invalid(field, "must not be the handle") }
        return password
    }

    /// A password to be compared.
    ///
    /// - Returns: nil where nobody can have it.
    package static func givenPassword(_ text: String, field: String) throws(APIError) -> String? {
        guard !text.isEmpty else { throw .missing(field) }
        let limit = Limits.Account.passwordBytes.upperBound
        guard let password = normalised(text, bytes: limit), password.utf8.count <= limit else { return nil }
        return password
    }

    /// E.164: `+`, and 8 to 15 digits that do not begin with 0. Empty is allowed: none.
    package static func phone(_ text: String) throws(APIError) -> String {
        guard !text.isEmpty else { return "" }
        let digits = text.utf8.dropFirst()
        guard text.utf8.first == UInt8(ascii: "+"), (8...15).contains(digits.count), digits.allSatisfy(isDigit),
            digits.first != UInt8(ascii: "0")
        else {
            throw .invalid("phone", "is a number in E.164: \"+\" and 8 to 15 digits, the first of which is not 0")
        }
        return text
    }

    /// `local@domain`, roughly: whether mail arrives there, only a mail can tell. Empty is allowed: none.
    package static func email(_ text: String) throws(APIError) -> String {
        guard !text.isEmpty else { return "" }
        let limit = Limits.Account.emailBytes
        guard let address = normalised(text, bytes: limit), address.utf8.count <= limit,
            let (local, domain) = parts(ofEmail: address),
            !address.unicodeScalars.contains(where: { isForbidden($0) || $0 == " " })
        else {
            throw .invalid("email", "is an address like \"name@example.org\" of at most \(limit) bytes, \(marksRule)")
        }
        // The domain is the same in any case; the part before it is the receiver's affair.
        return "\(local)@\(domain.lowercased())"
    }

    private static func parts(ofEmail address: String) -> (local: String, domain: String)? {
        let parts = address.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].count) else { return nil }
        let labels = parts[1].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count >= 2, labels.allSatisfy({ (1...63).contains($0.count) }) else { return nil }
        return (String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self))
    }

    private static func line(
        _ text: String, field: String, characters: ClosedRange<Int>
    ) throws(APIError) -> String {
        if text.isEmpty {
            guard characters.contains(0) else { throw .missing(field) }
            return text
        }
        // A character may be made of any number of scalars: so many for each is generous, and a bound.
        let scalars = Limits.Account.scalarsPerCharacter * characters.upperBound
        guard text.unicodeScalars.prefix(scalars + 1).count <= scalars,
            let line = normalised(text, bytes: 4 * scalars), line.unicodeScalars.count <= scalars,
            characters.contains(line.count), !line.unicodeScalars.contains(where: isForbidden),
            line.unicodeScalars.contains(where: isVisible)
        else {
            throw .invalid(
                field,
                "has \(characters.lowerBound) to \(characters.upperBound) characters on one line, one of them visible, "
                    + "none a control character, \(marksRule)")
        }
        return line
    }

    // MARK: Characters

    private static let marksRule = "at most \(Limits.Account.combiningMarks) combining marks in a row"

    /// Form C of a text that has at most so many bytes in it.
    ///
    /// - Returns: nil where the text is too long for that, or has too many combining marks in a row.
    private static func normalised(_ text: String, bytes: Int) -> String? {
        guard text.utf8.count <= Limits.Account.decomposedFactor * bytes, hasFewMarks(text) else { return nil }
        let form = text.precomposedStringWithCanonicalMapping
        // A few marks become two in form C: what is taken is taken again.
        return hasFewMarks(form) ? form : nil
    }

    private static func hasFewMarks(_ text: String) -> Bool {
        var marks = 0
        for scalar in text.unicodeScalars {
            marks = scalar.properties.canonicalCombiningClass == .notReordered ? 0 : marks + 1
            guard marks <= Limits.Account.combiningMarks else { return false }
        }
        return true
    }

    /// Control characters, line ends, and the marks that turn the direction of the text around them.
    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
        }
    }

    /// Whether something can be seen of it without anything before it. Blanks, fillers and marks leave a name empty to
    /// the eye.
    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .spaceSeparator, .lineSeparator, .paragraphSeparator, .nonspacingMark,
            .enclosingMark:
            false
        default: !scalar.properties.isDefaultIgnorableCodePoint && !blankSymbols.contains(scalar)
        }
    }

    /// Symbols whose picture is empty, though Unicode does not call them blanks: the braille pattern without dots, and
    /// the null notehead of music.
    private static let blankSymbols: Set<Unicode.Scalar> = ["\u{2800}", "\u{1D159}"]

    private static func isCapital(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
