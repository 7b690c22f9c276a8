/// Why a frame was not taken, and what the answer is an answer to.
public struct FrameError: Error, Hashable, Sendable {
    /// The catalogue's error.
    public private(set) var error: WireError
    /// The ref of the send that was not taken: it is answered by `rejected`. Nil where another frame was wrong, or a send
    /// whose ref cannot be read: these are answered by `error`.
    public private(set) var ref: String?

    /// An error that is not yet about a frame.
    public init(_ code: ErrorCode, _ message: String, field: String = "", retryAfterMilliseconds: UInt32 = 0) {
        error = WireError(code, message, field: field, retryAfterMilliseconds: retryAfterMilliseconds)
    }

    /// An error of the store that is not yet about a frame.
    public init(_ error: WireError) {
        self.error = error
    }

    /// The same as the answer to a frame, which it names so that a client can tell which of its frames it was.
    public func answering(_ frame: WireClientFrame.OneOf_Frame) -> FrameError {
        var answer = self
        if case .send(let send) = frame, !send.ref.isEmpty {
            answer.ref = send.ref
        } else {
            answer.error.answer(frame)
        }
        return answer
    }
}

extension WireError {
    /// Names the frame that it answers.
    fileprivate mutating func answer(_ frame: WireClientFrame.OneOf_Frame) {
        self.frame = frame.kind.name
        switch frame {
        case .read(let read): conversation = read.conversation
        case .typing(let typing): conversation = typing.conversation
        case .ping(let ping): nonce = ping.nonce
        case .hello, .send, .ack, .watch: break
        }
    }
}
