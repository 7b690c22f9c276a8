import BatonCore

/// The users whose presence one connection wants to see: which of them it may see, and what it was told of each.
///
/// The store says whom it may see. Of a user one question is under way at a time; what changes meanwhile makes its answer
/// worthless, and it is asked anew.
///
/// It asks nobody and tells nobody: `RelayLoop` does. Used on the connection's event loop.
struct WatchedUsers {
    /// The last question whether a user may be watched.
    private struct Question {
        var number: UInt64 = 0
        var isUnderWay = false
        /// Something changed since it was asked.
        var isOutdated = false
    }

    private var questions: [UserID: Question] = [:]
    private var lastNumber: UInt64 = 0
    private(set) var watched: Set<UserID> = []
    private var lastTold: [UserID: Presence] = [:]

    /// Whom the client wants to watch.
    var wanted: [UserID] { Array(questions.keys) }

    var wantsNobody: Bool { questions.isEmpty }

    func wants(_ user: UserID) -> Bool { questions[user] != nil }

    /// What the client was told of a user last.
    func told(of user: UserID) -> Presence? { lastTold[user] }

    // MARK: What the client wants

    /// The client wants to watch these users instead of those before, and to be told of each anew.
    ///
    /// - Returns: those whom it watched and wants no more.
    mutating func want(_ users: [UserID]) -> [UserID] {
        let before = questions
        questions = Dictionary(users.map { ($0, before[$0] ?? Question()) }) { first, _ in first }
        lastTold = [:]
        return watched.filter { questions[$0] == nil }
    }

    // MARK: Whom it may watch

    /// A question is to be asked about some of those who are wanted.
    ///
    /// - Returns: about whom to ask, and the question's number.
    mutating func begin(about users: [UserID]) -> (users: [UserID], number: UInt64) {
        lastNumber += 1
        var asked: [UserID] = []
        for user in users {
            guard let question = questions[user] else { continue }
            if question.isUnderWay {
                questions[user]?.isOutdated = true
            } else {
                questions[user] = Question(number: lastNumber, isUnderWay: true)
                asked.append(user)
            }
        }
        return (asked, lastNumber)
    }

    /// A question was answered.
    ///
    /// - Returns: of whom the answer counts, and of whom it is to be asked again.
    mutating func ended(_ number: UInt64, about users: [UserID]) -> (counts: [UserID], again: [UserID]) {
        var (counts, again): ([UserID], [UserID]) = ([], [])
        for user in users {
            guard let question = questions[user], question.number == number else { continue }
            questions[user]?.isUnderWay = false
            if question.isOutdated { again.append(user) } else { counts.append(user) }
        }
        return (counts, again)
    }

    // MARK: Whom it watches

    /// - Returns: whether it did not watch the user before.
    mutating func start(_ user: UserID) -> Bool { watched.insert(user).inserted }

    mutating func stop(_ user: UserID) {
        watched.remove(user)
        lastTold[user] = nil
    }

    /// The client was told of a user.
    mutating func tell(_ presence: Presence, of user: UserID) { lastTold[user] = presence }
}
