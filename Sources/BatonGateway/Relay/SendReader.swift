import BatonCore
import BatonProtocol

/// Makes a request to the store of what a client sends, or says what is wrong with it.
struct SendReader {
    let sender: Principal
    /// Bytes of content that a message may have.
    let contentLimit: Int

    func request(_ send: WireSend, at now: Timestamp) throws(FrameError) -> SendRequest {
        let (refBytes, refLimit) = (send.ref.utf8.count, Limits.Message.refBytes)
        guard (1...refLimit).contains(refBytes) else {
            throw FrameError(
                .invalidField, "ref has \(refBytes) bytes; 1 to \(refLimit) are allowed", field: "ref")
        }
        try check(send.content)
        let (target, conversation) = try target(send)
        guard
            let payload = try? EventFrame.payload(
                conversation: conversation, sender: sender.user, device: sender.device, ref: send.ref,
                content: send.content)
        else { throw FrameError(.internalError, "the message could not be encoded") }
        return SendRequest(
            sender: sender.user, device: sender.device, ref: send.ref, target: target, payload: payload, at: now)
    }

    private func check(_ content: WireContent) throws(FrameError) {
        let size: Int
        switch content.kind {
        case .text(let text): size = text.utf8.count
        case .data(let data): size = data.count
        case nil:
            throw FrameError(.missingField, "content has neither text nor data; send one of them", field: "content")
        }
        guard size > 0 else {
            throw FrameError(
                .missingField, "content has 0 bytes; 1 to \(contentLimit) are allowed", field: "content")
        }
        let contentBytes = size + content.mediaType.utf8.count
        guard contentBytes <= contentLimit else {
            throw FrameError(
                .tooLarge,
                "content has \(contentBytes) bytes, mediaType included; at most \(contentLimit) are allowed",
                field: "content")
        }
    }

    private func target(_ send: WireSend) throws(FrameError) -> (SendRequest.Target, ConversationID) {
        switch send.to {
        case .conversation(let text):
            let id = try ConversationID.read(text)
            return (.conversation(id), id)
        case .user(let text):
            guard let user = UserID(text) else {
                throw FrameError(
                    .invalidField, "user has to be a user's id, 13 characters, and is \(Excerpt.quoted(text))",
                    field: "user")
            }
            guard let id = ConversationID(between: sender.user, and: user) else {
                throw FrameError(.sameUser, "you cannot write to yourself", field: "user")
            }
            return (.user(user), id)
        case nil:
            throw FrameError(.missingField, "there is neither conversation nor user; send one of them", field: "to")
        }
    }
}

extension ConversationID {
    /// The id in a frame's field `conversation`.
    static func read(_ text: String) throws(FrameError) -> ConversationID {
        guard let id = ConversationID(text) else {
            throw FrameError(
                .invalidField,
                "conversation has to be <user>-<user> or g-<13 characters>, and is \(Excerpt.quoted(text))",
                field: "conversation")
        }
        return id
    }
}
