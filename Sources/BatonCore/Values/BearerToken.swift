/// The token of an `Authorization` header: `Bearer`, in any case, a blank, and the token. Source: RFC 6750, 2.1.
///
/// Read by bytes: the header is whatever a client wrote, and to compare its characters may cost the square of its length.
package struct BearerToken: Hashable, Sendable {
    package let text: String

    /// - Returns: nil for a header of another form.
    package init?(_ field: String) {
        let parts = field.utf8.split(separator: UInt8(ascii: " "))
        let scheme = "bearer".utf8
        guard parts.count == 2, parts[0].count == scheme.count, zip(parts[0], scheme).allSatisfy({ $0 | 0x20 == $1 })
        else { return nil }
        text = String(decoding: parts[1], as: UTF8.self)
    }
}
