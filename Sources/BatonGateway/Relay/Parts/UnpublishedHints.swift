package import BatonCore

/// How far the inboxes go of users to whom a hint could not be published. One number a user is enough: other nodes then read
/// the inbox.
///
/// There are `Limits.Node.unpublishedUsers` at most. Those beyond are found by the other nodes' sweeps.
///
/// It publishes nothing: `RelayLoop` does, once a second. Used on the event loop of the `RelayLoop` that owns it.
package struct UnpublishedHints {
    private var heads: [UserID: InboxSequence] = [:]

    package init() {}

    package var count: Int { heads.count }

    package mutating func failed(_ head: InboxSequence, of user: UserID) {
        guard heads.count < Limits.Node.unpublishedUsers || heads[user] != nil else { return }
        heads[user] = max(head, heads[user] ?? .zero)
    }

    /// To be published again. What fails once more comes back.
    package mutating func take() -> [UserID: InboxSequence] {
        defer { heads = [:] }
        return heads
    }
}
