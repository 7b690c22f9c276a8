import BatonClient
import BatonCore

/// Waiting for somebody who is not registered yet: their conversation opens by itself when they are.
extension ChatModel {
    struct Awaited: Hashable {
        let handle: String
        /// When the relay is asked again.
        var askAt: Timestamp
        /// The person was told that the chat waits.
        var isTold = false
    }

    /// Milliseconds between two questions, well within the rate at which a user may look up others.
    static let awaitedAgain: Int64 = 5_000

    /// Opens the conversation with somebody, now or when they have registered.
    mutating func waitFor(_ handle: String, now: Timestamp) -> ChatStep {
        awaited = Awaited(handle: handle, askAt: now.advanced(byMilliseconds: Self.awaitedAgain))
        return .request(.lookFor(handle: handle))
    }

    /// What the person opened meanwhile stays open.
    mutating func arrived(_ profile: Profile, _ handle: String, now: Timestamp) -> ChatStep {
        guard awaited?.handle == handle else { return ChatStep() }
        return opened(profile, now: now)
    }

    mutating func notYet(_ handle: String) -> ChatStep {
        guard let awaited, awaited.handle == handle, !awaited.isTold else { return ChatStep() }
        self.awaited?.isTold = true
        return .note(.info(awaitedText ?? ""))
    }

    /// In words; nil where nobody is waited for.
    var awaitedText: String? {
        awaited.map {
            "@\(PrintableText.escaped($0.handle)) is not registered yet; the conversation opens as soon as they are"
        }
    }

    /// The next question, when it is time for it and it can be asked.
    mutating func awaitedRequest(now: Timestamp) -> ChatRequest? {
        guard case .online = connection, let awaited, awaited.askAt <= now else { return nil }
        self.awaited?.askAt = now.advanced(byMilliseconds: Self.awaitedAgain)
        return .lookFor(handle: awaited.handle)
    }
}
