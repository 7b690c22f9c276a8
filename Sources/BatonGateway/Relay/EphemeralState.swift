import BatonCore
import NIOCore

/// What a connection that types or watches keeps besides.
final class EphemeralState {
    var bucket = TokenBucket(
        capacity: Limits.Connection.ephemeralPerSecond, perSecond: Double(Limits.Connection.ephemeralPerSecond))

    // MARK: Watching

    /// Whom the client wants to watch, and beside each the number of the last question whether it may.
    private(set) var wanted: [UserID: UInt64] = [:]
    /// Those of them whom it may watch.
    var watched: Set<UserID> = []
    /// What it was told of each of those last.
    var told: [UserID: Presence] = [:]
    private var questions: UInt64 = 0

    /// The client wants to watch these users instead of those before, and to be told of each anew.
    ///
    /// - Returns: those whom it watched and wants no more.
    func want(_ users: [UserID]) -> [UserID] {
        wanted = Dictionary(users.map { ($0, 0) }) { first, _ in first }
        told = [:]
        return watched.filter { wanted[$0] == nil }
    }

    /// A question is asked about some of those who are wanted.
    ///
    /// - Returns: its number.
    func asked(about users: [UserID]) -> UInt64 {
        questions += 1
        for user in users where wanted[user] != nil { wanted[user] = questions }
        return questions
    }

    /// Whether no later question was asked about a user who is still wanted: only then the answer counts.
    func isLatest(_ question: UInt64, about user: UserID) -> Bool { wanted[user] == question }

    // MARK: Typing

    /// Conversations in which this user was found to be allowed to show that they type, or not to, and until when that is
    /// believed.
    private var typing: [ConversationID: (isShown: Bool, until: NIODeadline)] = [:]

    static let typingConversations = 16

    /// - Returns: nil where it is to be asked.
    func isTypingShown(in id: ConversationID, at now: NIODeadline) -> Bool? {
        typing[id].flatMap { $0.until > now ? $0.isShown : nil }
    }

    /// Nobody types in so many conversations at once: where it is too many, all are asked about again.
    func believeTyping(in id: ConversationID, isShown: Bool, until deadline: NIODeadline) {
        if typing.count >= Self.typingConversations { typing = [:] }
        typing[id] = (isShown, deadline)
    }

    func forgetTyping(in id: ConversationID) { typing[id] = nil }
}

@available(*, unavailable) extension EphemeralState: Sendable {}
