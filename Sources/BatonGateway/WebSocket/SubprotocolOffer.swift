import BatonProtocol
import NIOHTTP1

/// The subprotocols that a client offers, in its order, and the token that a browser puts among them.
struct SubprotocolOffer {
    private(set) var names: [String] = []
    private(set) var tokens: [String] = []

    init(_ headers: HTTPHeaders) throws(HandshakeRefusal) {
        for entry in headers[canonicalForm: "Sec-WebSocket-Protocol"] {
            guard !entry.isEmpty, entry.utf8.allSatisfy(Self.isTokenByte) else {
                throw HandshakeRefusal(
                    .invalidField, "an entry is not a subprotocol's name", field: "Sec-WebSocket-Protocol")
            }
            if entry.hasPrefix(Subprotocol.tokenPrefix) {
                tokens.append(String(entry.dropFirst(Subprotocol.tokenPrefix.count)))
            } else {
                names.append(String(entry))
            }
        }
    }

    /// The first that is spoken here.
    func negotiated() throws(HandshakeRefusal) -> Subprotocol {
        for name in names {
            if let subprotocol = Subprotocol(rawValue: name) { return subprotocol }
        }
        let known = Subprotocol.allCases.map(\.rawValue).joined(separator: ", ")
        throw HandshakeRefusal(
            names.isEmpty ? .missingField : .invalidField, "offer one of \(known)", field: "Sec-WebSocket-Protocol")
    }

    /// RFC 9110, 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
