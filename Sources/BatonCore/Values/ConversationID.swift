/// The identity of a conversation.
///
/// A direct conversation's id is derived from its two users, smaller id first, so that both ends make the same one
/// without asking: `<user>-<user>`. A group's id is random: `g-<13 characters>`.
public struct ConversationID: Hashable, Sendable {
    /// The smaller user of a direct conversation; zero for a group.
    public let high: UInt64
    /// The greater user of a direct conversation; the random id of a group.
    public let low: UInt64

    /// The conversation of two users.
    ///
    /// - Returns: nil for one user twice: there is no conversation with oneself.
    public init?(between one: UserID, and other: UserID) {
        guard one != other, one.rawValue != 0, other.rawValue != 0 else { return nil }
        high = min(one.rawValue, other.rawValue)
        low = max(one.rawValue, other.rawValue)
    }

    public init(group id: UInt64) {
        high = 0
        low = id
    }

    /// From the two halves that a store kept.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public var isDirect: Bool { high != 0 }

    /// The two users of a direct conversation, nil for a group.
    public var pair: (UserID, UserID)? {
        isDirect ? (UserID(rawValue: high), UserID(rawValue: low)) : nil
    }

    /// The other user of a direct conversation; nil for a group or for somebody who is not of the pair.
    public func peer(of user: UserID) -> UserID? {
        guard isDirect else { return nil }
        if user.rawValue == high { return UserID(rawValue: low) }
        if user.rawValue == low { return UserID(rawValue: high) }
        return nil
    }
}

extension ConversationID: LosslessStringConvertible {
    private static let groupPrefix = "g-"

    /// The id's text, or nil for anything that no conversation could be called.
    public init?(_ text: String) {
        let utf8 = text.utf8
        if utf8.count == Base32.length + 2, text.hasPrefix(Self.groupPrefix) {
            guard let id = Base32.decode(utf8.dropFirst(2)), id != 0 else { return nil }
            self.init(group: id)
            return
        }
        guard utf8.count == 2 * Base32.length + 1,
            utf8[utf8.index(utf8.startIndex, offsetBy: Base32.length)] == UInt8(ascii: "-"),
            let high = Base32.decode(utf8.prefix(Base32.length)),
            let low = Base32.decode(utf8.suffix(Base32.length)), high != 0, high < low
        else { return nil }
        self.init(high: high, low: low)
    }

    public var description: String {
        isDirect ? "\(Base32.encode(high))-\(Base32.encode(low))" : Self.groupPrefix + Base32.encode(low)
    }
}

extension ConversationID: Comparable {
    public static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}
