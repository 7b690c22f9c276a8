import BatonCore

/// What every implementation of `Bus`, `SessionRegistry`, `PresenceRegistry`, `NodeRegistry` and `SharedBuckets` does: each case is
/// a sentence and runs on two nodes that share an empty state. Time does not move in a case: TTLs have tests of their own.
public struct LivenessConformance: Sendable, CustomStringConvertible {
    public let description: String
    public let run: @Sendable (LivenessSubject) async throws -> Void

    public struct Violation: Error, CustomStringConvertible {
        public let description: String
    }

    public struct NoAnswer: Error, CustomStringConvertible {
        public var description: String { "the port did not call its completion" }
    }

    public static let all: [LivenessConformance] =
        busCases + sessionCases + presenceCases + nodeCases + bucketCases

    init(_ sentence: String, _ run: @escaping @Sendable (LivenessSubject) async throws -> Void) {
        description = sentence
        self.run = run
    }

    static func expect<Value: Equatable>(_ value: Value, _ expected: Value, _ what: String) throws {
        guard value == expected else { throw Violation(description: "\(what): \(value) instead of \(expected)") }
    }

    // Three people and a few devices that the cases speak of.
    static let alice = UserID(rawValue: 0xa11ce)
    static let bob = UserID(rawValue: 0xb0b)
    static let carol = UserID(rawValue: 0xca201)
    static let phone = DeviceID(rawValue: 1)
    static let laptop = DeviceID(rawValue: 2)
    static let now = Timestamp(milliseconds: 1_800_000_000_000)

    static func node(_ name: String) throws -> NodeID {
        guard let node = NodeID(name) else { throw Violation(description: "\(name) is no node's name") }
        return node
    }

    static func session(
        _ user: UserID, _ device: DeviceID, on name: String = "one", incarnation: UInt64 = 1, generation: UInt64
    ) throws -> Session {
        Session(
            user: user, device: device, node: try node(name), incarnation: incarnation,
            generation: ConnectionGeneration(rawValue: generation), since: now, client: "test/1")
    }

    static func lease(_ name: String, incarnation: UInt64, connections: Int = 0) throws -> NodeLease {
        NodeLease(
            node: try node(name), incarnation: incarnation, address: "127.0.0.1:8080", state: .up,
            connections: connections, since: now)
    }
}
