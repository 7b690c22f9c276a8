import BatonAPI
import BatonCore
import Testing

@Suite("Keys that follow from the signing keys")
struct ClusterKeysTests {
    private static let now = Timestamp(milliseconds: 1_767_225_600_000)

    private static func key(_ byte: UInt8, at created: Timestamp = now) throws -> SigningKeys.Key {
        try #require(SigningKeys.Key(id: "k\(byte)", seed: Array(repeating: byte, count: 32), created: created))
    }

    private static func keys(_ keys: SigningKeys.Key...) throws -> ClusterKeys {
        ClusterKeys(try #require(SigningKeys(keys)))
    }

    @Test("All nodes make the same successor of a token, and each token has another")
    func deterministic() throws {
        let token = RefreshToken.random()
        let (one, other) = (try Self.keys(Self.key(1)), try Self.keys(Self.key(1)))
        let successor = try #require(one.successors(of: token, at: Self.now).first)
        #expect(other.successors(of: token, at: Self.now) == [successor])
        #expect(RefreshToken(successor.text) == successor)
        let next = try #require(one.successors(of: successor, at: Self.now).first)
        #expect(Set([token, successor, next]).count == 3)
        #expect(one.successors(of: .random(), at: Self.now) != [successor])
    }

    @Test("The key in force makes the successor; those of all others are known, the newest first")
    func rotation() throws {
        let later = Self.now.advanced(byMilliseconds: 1)
        let keys = try Self.keys(
            Self.key(1, at: Self.now.advanced(byMilliseconds: -1)), Self.key(2), Self.key(3, at: later))
        let token = RefreshToken.random()
        func successor(_ byte: UInt8) throws -> RefreshToken {
            try #require(Self.keys(Self.key(byte)).successors(of: token, at: Self.now).first)
        }
        let (first, second, third) = (try successor(1), try successor(2), try successor(3))
        #expect(keys.successors(of: token, at: Self.now) == [second, third, first])
        #expect(keys.successors(of: token, at: later) == [third, second, first])
        // Before any is in force, the one that will be next.
        #expect(keys.successors(of: token, at: Timestamp(milliseconds: 0)) == [first, third, second])
    }

    @Test("A network has the same mark on all nodes, and another by each key")
    func marks() throws {
        let old = Self.now.advanced(byMilliseconds: -1)
        let keys = try Self.keys(Self.key(1, at: old), Self.key(2))
        let (first, second) = (try Self.keys(Self.key(1)), try Self.keys(Self.key(2)))
        let network = "192.0.2.1"
        #expect(
            keys.marks(of: network, at: Self.now)
                == second.marks(of: network, at: Self.now) + first.marks(of: network, at: Self.now))
        #expect(first.marks(of: network, at: Self.now) != second.marks(of: network, at: Self.now))
        #expect(first.marks(of: network, at: Self.now) != first.marks(of: "192.0.2.2", at: Self.now))
    }

    @Test("A successor is the same in every version: HMAC-SHA256 by HKDF-SHA256 of the signing key")
    func vector() throws {
        let token = try #require(RefreshToken(String(repeating: "A", count: 43)))
        let successor = try Self.keys(Self.key(7)).successors(of: token, at: Self.now).first
        #expect(successor?.text == "IpP6OhaLO_JD7rChDRldWdgUoVzSOVosOdTvpSBG-B4")
    }
}
