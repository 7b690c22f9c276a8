import BatonCore
import NIOCore

/// What a connection that types or watches keeps besides.
final class EphemeralState {
    var bucket = TokenBucket(
        capacity: Limits.Connection.ephemeralPerSecond, perSecond: Double(Limits.Connection.ephemeralPerSecond))

    // MARK: Watching

    /// Whom the client wants to watch.
    private(set) var wanted: [UserID: Question] = [:]
    /// Those of them whom it may watch.
    var watched: Set<UserID> = []
    /// What it was told of each of those last.
    var told: [UserID: Presence] = [:]
    private var questions: UInt64 = 0

    /// The last question whether somebody may be watched.
    struct Question: Hashable {
        var number: UInt64 = 0
        var isUnderWay = false
        /// Something changed since it was asked: its answer does not count, and it is asked anew.
        var isOutdated = false
    }

    /// The client wants to watch these users instead of those before, and to be told of each anew.
    ///
    /// - Returns: those whom it watched and wants no more.
    func want(_ users: [UserID]) -> [UserID] {
        let before = wanted
        wanted = Dictionary(users.map { ($0, before[$0] ?? Question()) }) { first, _ in first }
        told = [:]
        return watched.filter { wanted[$0] == nil }
    }

    /// A question is to be asked about some of those who are wanted. Of each one is under way at a time.
    ///
    /// - Returns: about whom, and its number.
    func begin(about users: [UserID]) -> (users: [UserID], number: UInt64) {
        questions += 1
        var asked: [UserID] = []
        for user in users {
            guard let question = wanted[user] else { continue }
            if question.isUnderWay {
                wanted[user]?.isOutdated = true
            } else {
                wanted[user] = Question(number: questions, isUnderWay: true)
                asked.append(user)
            }
        }
        return (asked, questions)
    }

    /// A question was answered.
    ///
    /// - Returns: of whom the answer counts, and of whom it is to be asked again.
    func ended(_ number: UInt64, about users: [UserID]) -> (counts: [UserID], again: [UserID]) {
        var (counts, again): ([UserID], [UserID]) = ([], [])
        for user in users {
            guard let question = wanted[user], question.number == number else { continue }
            wanted[user]?.isUnderWay = false
            if question.isOutdated { again.append(user) } else { counts.append(user) }
        }
        return (counts, again)
    }

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
