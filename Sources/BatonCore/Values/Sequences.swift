/// A message's place in its conversation: 1 for the first, without holes.
public struct ConversationSequence: Hashable, Sendable, PositionInLog {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// An event's place in a user's inbox: 1 for the first, without holes. Zero means "before everything".
public struct InboxSequence: Hashable, Sendable, PositionInLog {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A place in a dense log. Stores keep it as a signed 64-bit integer, so it never exceeds `Int64.max`.
public protocol PositionInLog: Comparable, CustomStringConvertible, RawRepresentable where RawValue == UInt64 {
    init(rawValue: UInt64)
}

extension PositionInLog {
    /// Before everything.
    public static var zero: Self { Self(rawValue: 0) }

    /// The next place. A log ends at `Int64.max`; nothing is written there.
    public var next: Self { Self(rawValue: rawValue &+ 1) }

    public var description: String { String(rawValue) }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Civil time in milliseconds since 1970-01-01T00:00:00Z.
public struct Timestamp: Hashable, Sendable, Comparable {
    public let milliseconds: Int64
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }

    /// A message's time in its conversation: not before the one before it, unless that is far ahead. Some clock was wrong then, and
    /// those that are right do not go on being wrong for it.
    ///
    /// - Parameter last: of the message before.
    public func following(_ last: Timestamp) -> Timestamp {
        max(self, min(last, advanced(byMilliseconds: Limits.Store.timesAheadMilliseconds)))
    }

    /// Later (or earlier) by whole milliseconds; stays at the end of the range rather than overflow.
    public func advanced(byMilliseconds distance: Int64) -> Timestamp {
        let (sum, overflow) = milliseconds.addingReportingOverflow(distance)
        return Timestamp(milliseconds: overflow ? (distance > 0 ? .max : .min) : sum)
    }
}

/// A message's identity: its conversation and its place there, written `<conversation>.<sequence>`.
public struct MessageID: Hashable, Sendable {
    public let conversation: ConversationID
    public let sequence: ConversationSequence

    public init(conversation: ConversationID, sequence: ConversationSequence) {
        self.conversation = conversation
        self.sequence = sequence
    }
}

extension MessageID: LosslessStringConvertible {
    /// The id's text, or nil for anything else.
    public init?(_ text: String) {
        guard let dot = text.lastIndex(of: "."), let conversation = ConversationID(String(text[..<dot])),
            let number = UInt64(text[text.index(after: dot)...]), number > 0, number <= UInt64(Int64.max)
        else { return nil }
        self.init(conversation: conversation, sequence: ConversationSequence(rawValue: number))
        // One id has one text: no sign, no leading zeros.
        guard description == text else { return nil }
    }

    public var description: String { "\(conversation).\(sequence)" }
}
