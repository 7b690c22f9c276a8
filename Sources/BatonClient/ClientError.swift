/// Why the client could not do what it was asked for.
public enum ClientError: Error, Hashable, Sendable {
    /// The relay says no.
    case refused(RelayError)
    /// No server could be reached, or none answered in time.
    case unreachable(String)
    /// The server's answer is not of this protocol.
    case badAnswer(String)
    /// There are no tokens: register and log in, or log in.
    case notLoggedIn
    /// The client has a session already; log out first.
    case alreadyLoggedIn
    /// Too many messages, or too many bytes, wait to be accepted.
    case outboxFull
    /// The message is empty, too large, or its recipient is none.
    case invalidMessage(String)
    /// The state file cannot be read or written; nothing was queued.
    case stateFile(String)
    /// The client was closed.
    case closed
    /// The task that waited was cancelled. A message that was queued stays queued.
    case cancelled
}
