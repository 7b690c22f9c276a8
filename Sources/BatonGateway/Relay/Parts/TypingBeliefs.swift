import BatonCore
import NIOCore

/// In which conversations the others see that the user of one connection types, as the store said a short while ago.
///
/// It remembers `conversations` of them at most. It asks nobody: `RelayLoop` does, where `isShown` says nothing. Used on the
/// connection's event loop.
struct TypingBeliefs {
    static let conversations = 16

    private var beliefs: [ConversationID: (isShown: Bool, until: NIODeadline)] = [:]

    /// - Returns: nil where the store is to be asked.
    func isShown(in id: ConversationID, at now: NIODeadline) -> Bool? {
        beliefs[id].flatMap { $0.until > now ? $0.isShown : nil }
    }

    /// Nobody types in so many conversations at once: with one more than there is room for, all are asked about again.
    mutating func believe(in id: ConversationID, isShown: Bool, until deadline: NIODeadline) {
        if beliefs.count >= Self.conversations { beliefs = [:] }
        beliefs[id] = (isShown, deadline)
    }

    mutating func forget(_ id: ConversationID) { beliefs[id] = nil }
}
