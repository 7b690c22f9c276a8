import BatonClient
import BatonCore
import BatonProtocol

/// What the model asks for, asked of the SDK.
extension ChatSession {
    /// - Returns: nil where there is nothing to say to it.
    func answer(_ request: ChatRequest) async -> ChatAnswer? {
        do throws(ClientError) {
            return try await carryOut(request)
        } catch .closed {
            return nil
        } catch .unreachable where request.isBackground {
            return nil
        } catch {
            return .failed(error.words)
        }
    }

    private func carryOut(_ request: ChatRequest) async throws(ClientError) -> ChatAnswer? {
        switch request {
        case .send(let text, let recipient): return await send(text, to: recipient)
        case .markRead(let message):
            await client.markRead(message)
            return nil
        case .typing(let isActive, let conversation):
            await client.typing(isActive, in: conversation)
            return nil
        case .watch(let users):
            await client.watch(users)
            return nil
        case .conversations: return .conversations(try await client.conversations().conversations)
        case .conversation(let id): return .conversation(try await client.conversation(id))
        case .open(let handle): return try await profile(handle).map { .opened($0) } ?? .noSuchUser(handle: handle)
        case .lookFor(let handle):
            return try await profile(handle).map { .arrived($0, handle: handle) } ?? .notYet(handle: handle)
        case .who(let handle): return try await profile(handle).map { .who($0) } ?? .noSuchUser(handle: handle)
        case .history(let id):
            do {
                return .history(id, try await client.history(of: id, limit: ChatModel.page))
            } catch .refused(let error) where error.code == .unknownConversation || error.code == .notFound {
                return .noHistory(id)
            }
        case .older(let message):
            return .older(
                message.conversation, try await client.history(before: message, limit: ChatModel.page))
        case .devices: return .devices(try await client.devices())
        case .revoke(let device):
            try await client.revoke(device)
            return .revoked(device)
        case .logout:
            try await client.logout()
            end(.left)
            return nil
        case .quit:
            end(.left)
            return nil
        }
    }

    private func send(_ text: String, to recipient: Recipient) async -> ChatAnswer {
        do {
            return .queued(ref: try await client.enqueue(text, to: recipient), text: text, to: recipient)
        } catch {
            return .notQueued(text: text, why: error.words)
        }
    }

    /// - Returns: nil where there is no such user.
    private func profile(_ handle: String) async throws(ClientError) -> Profile? {
        do {
            return try await client.profile(handle: handle)
        } catch .refused(let error) where [.unknownUser, .notFound, .invalidField].contains(error.code) {
            return nil
        }
    }
}

extension ClientError {
    /// In words, for people.
    var words: String {
        switch self {
        case .refused(let error): PrintableText.escaped(error.message.isEmpty ? error.codeText : error.message)
        case .unreachable(let why): "the relay cannot be reached (\(PrintableText.escaped(why)))"
        case .badAnswer(let why): "the relay's answer is not understood (\(PrintableText.escaped(why)))"
        case .notLoggedIn: "not logged in"
        case .alreadyLoggedIn: "logged in already"
        case .outboxFull: "too many messages wait already"
        case .invalidMessage(let why), .stateFile(let why): PrintableText.escaped(why)
        case .closed: "closed"
        case .cancelled: "cancelled"
        }
    }
}
