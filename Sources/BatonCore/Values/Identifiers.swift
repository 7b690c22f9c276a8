/// A user's identity: 64 random bits, written as 13 characters of base 32. Never reused, never zero.
public struct UserID: Hashable, Sendable, RawRepresentable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// One installation of a client of a user: 64 random bits, written as 13 characters of base 32.
public struct DeviceID: Hashable, Sendable, RawRepresentable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// What the 64-bit ids have in common: their text and their order.
public protocol TextualID: Comparable, CustomStringConvertible, LosslessStringConvertible, RawRepresentable
where RawValue == UInt64 {
    init(rawValue: UInt64)
}

extension TextualID {
    /// The id's text, or nil for anything else than 13 digits of base 32 in lower case.
    public init?(_ text: String) {
        guard let number = Base32.decode(text.utf8) else { return nil }
        self.init(rawValue: number)
    }

    public var description: String { Base32.encode(rawValue) }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// A new random id; zero is left out so that it can stand for "none" in a database or on the wire.
    public static func random(using generator: inout some RandomNumberGenerator) -> Self {
        Self(rawValue: UInt64.random(in: 1...UInt64.max, using: &generator))
    }
}

extension UserID: TextualID {}
extension DeviceID: TextualID {}

/// A relay node's name, unique among the living: lower-case letters, digits and hyphens.
public struct NodeID: Hashable, Sendable, CustomStringConvertible {
    /// Characters a node's name may have.
    public static let maximumLength = 32

    public let name: String

    /// - Returns: nil where the name is empty, too long, or holds anything but `a-z`, `0-9` and `-`.
    public init?(_ name: String) {
        let isAllowed = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
        }
        guard !name.isEmpty, name.utf8.count <= Self.maximumLength, isAllowed else { return nil }
        self.name = name
    }

    public var description: String { name }
}

/// Identity of an inbox's numbering. Another epoch than the one a device knows forces a full resync.
public struct Epoch: Hashable, Sendable, TextualID {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Tells the connections of one device apart: the greater one is the newer. The store counts a device's connections, so
/// no clock has a part in it.
public struct ConnectionGeneration: Hashable, Sendable, TextualID {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// A connection that the store could not count yet: it is older than every other.
    public static let unnumbered = ConnectionGeneration(rawValue: 0)

    /// The least that is newer.
    public var next: ConnectionGeneration { ConnectionGeneration(rawValue: rawValue == .max ? .max : rawValue + 1) }

    /// What the count of a device's connections begins at. Nodes of schema 1 made generations of the time, in units of
    /// 2^-20 ms; all of those are below it.
    public static let first = ConnectionGeneration(rawValue: 1 << 62)
}
