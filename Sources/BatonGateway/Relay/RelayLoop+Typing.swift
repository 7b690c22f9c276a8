import BatonCore
import BatonProtocol
import NIOCore

/// Shows users' typing to their acquaintances.
extension RelayLoop {
    /// For so long what the store said is believed, unless the bus says that it changed.
    private static let typingBelief = TimeAmount.seconds(30)

    /// Only acquaintances see it, because it shows that the user is online. The client that types is not told whether they do:
    /// it cannot know, and did nothing wrong.
    func typing(in id: ConversationID, active: Bool, from handler: RelayHandler) {
        let user = handler.principal.user
        guard let peer = id.peer(of: user) else {
            handler.reject(unknownConversation(id))
            return
        }
        let notice = BusMessage.typing(id, by: user, active: active)
        #if DEBUG
            if node.settings.plantedBug == .showTypingToStrangers { return send(notice, to: peer) }
        #endif
        if let isShown = handler.ephemeral?.typing.isShown(in: id, at: eventLoop.now) {
            if isShown { send(notice, to: peer) }
            return
        }
        let (bound, origin) = (sendable, handler.id)
        acquaintances(user, [peer]).assumeIsolated()
            .whenSuccess { acquaintances in
                let loop = bound.value
                guard let state = loop.connections[origin]?.ephemeral else { return }
                let isShown = acquaintances.contains(peer)
                state.typing.believe(in: id, isShown: isShown, until: loop.eventLoop.now + Self.typingBelief)
                if isShown { loop.send(notice, to: peer) }
            }
    }

    private func send(_ message: BusMessage, to user: UserID) {
        // Through the bus alone: a notice that arrives twice would be shown twice.
        bus.publish(message, to: .user(user), receivers: nil)
    }

    private func unknownConversation(_ id: ConversationID) -> FrameError {
        var typing = WireTyping()
        typing.conversation = id.description
        return FrameError(
            .unknownConversation, "there is no such conversation, or you are no member of it", field: "conversation"
        ).answering(.typing(typing))
    }
}
