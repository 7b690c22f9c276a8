/// Every kind of entry of an inbox: the one place where a kind is declared.
///
/// The number of a kind is its field in the message `Event` of relay.proto, and the tag of its rows in the store. Its name
/// is the field's. A test compares both with the contract, and the table of kinds in the article `Protocol` with this one.
///
/// The relay carries each kind the same way: the store keeps the bytes of its field (but for `message` and `receipt`, whose
/// rows are columns), and they travel like that to the sockets. What a kind means is for its rule in the store, which
/// writes it, and for clients.
public enum EventKind: UInt32, CaseIterable, Sendable {
    /// A message of one of the user's conversations; also an own one, for the user's other devices.
    case message = 2
    /// A member's watermarks moved.
    case receipt = 3

    public var name: String { "\(self)" }

    /// It is a part of what REST counts as unread, until the user has read so far.
    public var countsAsUnread: Bool {
        switch self {
        case .message: true
        case .receipt: false
        }
    }

    /// A device that is not connected is to be woken for it.
    public var wakesDevice: Bool {
        switch self {
        case .message: true
        case .receipt: false
        }
    }

    /// A later one about the same thing says all that an earlier one said.
    public var isSuperseded: Bool {
        switch self {
        case .message: false
        case .receipt: true
        }
    }
}
