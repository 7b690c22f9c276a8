import BatonCore

/// What the user has read, as far as the relay may not know it. A read is answered with nothing: one that a connection
/// took along when it ended, or that the store failed to take, is told again. It says how far the user is, so that telling
/// it twice changes nothing.
struct ReadMarks {
    private struct Mark {
        let message: MessageID
        var toldAt: Duration
    }

    /// Conversations whose last read is kept; those told longest ago go first.
    static let conversations = 256
    /// After so long on a connection that lived on, a read is stored.
    static let settledAfter = Duration.seconds(30)

    /// In the order in which they were told.
    private var marks: [Mark] = []
    private var mayBeLost = false

    /// A read goes to the relay.
    mutating func told(_ message: MessageID, now: Duration) {
        let before = marks.firstIndex { $0.message.conversation == message.conversation }.map { marks.remove(at: $0) }
        let furthest = max(message.sequence, before?.message.sequence ?? .zero)
        marks.append(
            Mark(message: MessageID(conversation: message.conversation, sequence: furthest), toldAt: now))
        if marks.count > Self.conversations { marks.removeFirst() }
    }

    /// - Parameter heardAt: when the relay was last heard on it.
    mutating func disconnected(heardAt: Duration) {
        marks.removeAll { $0.toldAt + Self.settledAfter < heardAt }
        mayBeLost = true
    }

    /// The relay could not do something, and does not say what.
    mutating func failed() { mayBeLost = true }

    /// What is to be told again now, if anything may be lost.
    mutating func due(now: Duration) -> [MessageID] {
        guard mayBeLost else { return [] }
        mayBeLost = false
        for index in marks.indices { marks[index].toldAt = now }
        return marks.map(\.message)
    }
}
