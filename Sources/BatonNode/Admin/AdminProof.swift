import BatonAPI
import Crypto
import NIOCore
import Synchronization

/// How a node or a command proves to another node that it has the admin token, without sending it: addresses of nodes come
/// from Redis, and who can write there could name their own.
///
/// It asks for a challenge, and sends with its request a code of it: HMAC-SHA256, by a key that follows from the token, of method,
/// path, challenge, and the address that it asks. Who got the request at another address can use it neither there nor here:
/// a node takes codes for its own addresses only, and for so many seconds.
enum AdminProof {
    /// For how long a challenge is good. Whoever reads a request on its way may repeat it for as long, and learns what the
    /// answer to the first one told.
    static let challengeSeconds: Int64 = 30

    static let path = "/admin/challenge"

    /// `GET /admin/challenge` answers with it.
    struct Challenge: Codable, Sendable {
        let challenge: String
    }

    /// What a code is of.
    struct Request: Sendable {
        let method: String
        /// With its query.
        let path: String
        /// `host:port`, as in the `Host` field.
        let address: String
        let challenge: String

        var text: [UInt8] { Array([method, path, address.lowercased(), challenge].joined(separator: "\n").utf8) }
    }

    static let scheme = "baton"
}

extension AdminToken {
    /// The `Authorization` field of a request.
    func proof(of request: AdminProof.Request) -> String {
        "\(AdminProof.scheme) \(request.challenge) \(Base64.url(code(of: request)))"
    }

    func isProof(_ text: String, of request: AdminProof.Request) -> Bool {
        // Digests of both, so that the time does not tell how much was right.
        SHA256.hash(data: Array(text.utf8)) == SHA256.hash(data: Array(Base64.url(code(of: request)).utf8))
    }
}

/// A node's challenges. It remembers none: each says when it was made, and proves it.
struct AdminChallenges: Sendable {
    private let key = SymmetricKey(size: .bits256)
    private let now: @Sendable () -> NIODeadline

    init(now: @escaping @Sendable () -> NIODeadline = { .now() }) { self.now = now }

    func make() -> String { Self.text(milliseconds, key) }

    /// Whether this process made it, and not too long ago.
    func isGood(_ text: String) -> Bool {
        guard let number = text.split(separator: ".").first.flatMap({ Int64($0) }) else { return false }
        let age = milliseconds.subtractingReportingOverflow(number)
        return !age.overflow && (0...AdminProof.challengeSeconds * 1_000).contains(age.partialValue)
            && SHA256.hash(data: Array(text.utf8)) == SHA256.hash(data: Array(Self.text(number, key).utf8))
    }

    private var milliseconds: Int64 { Int64(clamping: now().uptimeNanoseconds / 1_000_000) }

    private static func text(_ milliseconds: Int64, _ key: SymmetricKey) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(milliseconds)".utf8), using: key)
        return "\(milliseconds).\(Base64.url(Array(code.prefix(16))))"
    }
}

/// The addresses under which a node takes proofs: what its lease says, where it listens, and this host.
final class AdminAddresses: Sendable {
    private let known = Mutex<Set<String>>([])

    /// - Parameters:
    ///   - advertised: as the lease has it.
    ///   - host: where it listens.
    func set(advertised: String, host: String, port: Int) {
        let names = [host, "127.0.0.1", "localhost", "[::1]"].map { "\($0):\(port)" } + [advertised]
        known.withLock { $0 = Set(names.map { $0.lowercased() }) }
    }

    func contains(_ address: String) -> Bool { known.withLock { $0.contains(address.lowercased()) } }
}
