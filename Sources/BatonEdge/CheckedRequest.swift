import BatonCore
package import BatonGateway
import BatonProtocol
package import NIOHTTP1

/// The head of a request that every hop on its way reads in the same way (RFC 9112), or why it is none.
///
/// The parser refuses what breaks HTTP's grammar: two lengths, a length beside a transfer coding, folded lines, bare line
/// feeds, blanks before a colon. Here is what the grammar allows and a server has to look at: the target, `Host`,
/// `Transfer-Encoding` and `Expect`. A balancer that reads one of them differently would let through what it denies.
package struct CheckedRequest {
    /// The target is a path with its query, whichever form it came in, and `Host` names whom it was meant for.
    package private(set) var head: HTTPRequestHead
    /// The client waits for `100 Continue` before it sends its body.
    package private(set) var expectsContinue = false

    package init(_ head: HTTPRequestHead) throws(HandshakeRefusal) {
        self.head = head
        // What decides how a request is read counts even where it is not ASCII; anything else is left out then.
        try checkHostIsOne()
        try checkTransferEncoding()
        self.head.headers.keepASCII()
        try checkHost()
        try checkTarget()
        try checkLength()
        try checkExpect()
    }

    /// HTTP/1.0 knows neither `Host` nor transfer codings nor expectations.
    private var isOld: Bool { head.version != .http1_1 }

    // MARK: Host

    private func checkHostIsOne() throws(HandshakeRefusal) {
        let count = head.headers["Host"].count
        guard count <= 1 else {
            throw HandshakeRefusal(.invalidField, "a request names its host once; \(count) came", field: "Host")
        }
    }

    private func checkHost() throws(HandshakeRefusal) {
        guard let host = head.headers["Host"].first else {
            if isOld { return }
            throw HandshakeRefusal(
                .missingField, "a request names its host once; none came", field: "Host", status: .badRequest)
        }
        guard Self.isAuthority(host) else {
            throw HandshakeRefusal(
                .invalidField, "it is a host, and maybe a colon and a port, not \(Excerpt.quoted(host))", field: "Host")
        }
    }

    /// `name`, `1.2.3.4` or `[::1]`, then maybe `:port`. Nothing of a user, a path or a second name.
    private static func isAuthority(_ text: some StringProtocol) -> Bool {
        let bytes = Array(text.utf8)
        let port: ArraySlice<UInt8>
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")), end > 1, bytes[1..<end].allSatisfy(isAddressPart)
            else { return false }
            port = bytes[(end + 1)...]
        } else {
            let end = bytes.firstIndex(of: colon) ?? bytes.count
            guard end > 0, bytes[..<end].allSatisfy(isNamePart) else { return false }
            port = bytes[end...]
        }
        return port.isEmpty || (port.first == colon && port.dropFirst().allSatisfy(isDigit))
    }

    // MARK: The target

    private mutating func checkTarget() throws(HandshakeRefusal) {
        let target = head.uri
        guard target.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }) else {
            throw HandshakeRefusal(
                .invalidField, "it has visible ASCII characters only, and no fragment", field: "target")
        }
        if target.utf8.first == UInt8(ascii: "/") { return }
        guard let scheme = ["http://", "https://"].first(where: { target.lowercased().hasPrefix($0) }) else {
            throw HandshakeRefusal(
                .invalidField, "it begins with /, http:// or https://, and came as \(Excerpt.quoted(target))",
                field: "target")
        }
        let rest = target.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard Self.isAuthority(authority) else {
            throw HandshakeRefusal(
                .invalidField,
                "behind http:// is a host, and maybe a colon and a port, not \(Excerpt.quoted(String(authority)))",
                field: "target")
        }
        let path = rest.dropFirst(authority.count)
        head.uri = path.first == "/" ? String(path) : "/" + path
        // RFC 9112, 3.2.2: the target is believed, whatever `Host` says.
        head.headers.replaceOrAdd(name: "Host", value: String(authority))
    }

    // MARK: The body

    /// What the parser took for one.
    private var length: Int { head.headers["Content-Length"].first.map { Int($0) ?? .max } ?? 0 }

    /// A body without a length is counted as it comes.
    private func checkLength() throws(HandshakeRefusal) {
        guard length > Limits.Frame.requestBodyBytes else { return }
        throw HandshakeRefusal(
            .tooLarge, "a body has at most \(Limits.Frame.requestBodyBytes) bytes", field: "Content-Length")
    }

    private func checkTransferEncoding() throws(HandshakeRefusal) {
        guard head.headers.contains(name: "Transfer-Encoding") else { return }
        guard !isOld else {
            throw HandshakeRefusal(
                .invalidField, "HTTP/1.0 knows no transfer codings; send a length", field: "Transfer-Encoding")
        }
        let codings = head.headers["Transfer-Encoding"]
        // Compared as bytes: to compare texts that are not ASCII costs the square of their length.
        guard codings.count == 1, codings[0].utf8.map({ $0 | 0x20 }) == Array("chunked".utf8) else {
            throw HandshakeRefusal(
                .wrongEncoding, "only chunked is spoken here, not \(Excerpt.quoted(codings.joined(separator: ", ")))",
                field: "Transfer-Encoding", status: .notImplemented)
        }
    }

    private mutating func checkExpect() throws(HandshakeRefusal) {
        guard !isOld, head.headers.contains(name: "Expect") else { return }
        let expectations = head.headers[canonicalForm: "Expect"].map { $0.lowercased() }
        guard expectations == ["100-continue"] else {
            let came = Excerpt.quoted(expectations.joined(separator: ", "))
            throw HandshakeRefusal(
                .invalidField, "only 100-continue can be expected here, not \(came)", field: "Expect",
                status: .expectationFailed)
        }
        expectsContinue = length > 0 || head.headers.contains(name: "Transfer-Encoding")
    }

    // MARK: Characters

    private static let colon = UInt8(ascii: ":")

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isAddressPart(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20) || ":.".utf8.contains(byte)
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || "-._~%".utf8.contains(byte)
    }
}
