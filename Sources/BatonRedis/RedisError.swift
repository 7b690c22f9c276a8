/// Why Redis did not do what it was asked for. None of these loses a message: Redis is never the truth.
package enum RedisError: Error, Hashable, Sendable {
    /// There is no connection now; the link is connecting or waiting to.
    case notConnected
    /// The connection was lost before the reply came: the command may have been carried out.
    case connectionLost
    /// The socket or TLS failed, for a reason that is not in Redis' words.
    case transport(String)
    /// No reply came within the command deadline; the connection was closed for it.
    case timedOut
    /// Too many commands, or too many of their bytes, wait for their replies.
    case overloaded
    /// Redis sent something that is no reply, or one that was not asked for. The connection was closed for it.
    case brokenReply(String)
    /// Redis answered with an error, as `NOSCRIPT No matching script`.
    case refused(String)
    /// The loop was closed.
    case closed

    /// The first word of an error that Redis answered with: `NOSCRIPT`, `NOPERM`, `WRONGPASS`.
    var code: Substring? {
        guard case .refused(let text) = self else { return nil }
        return text.prefix { $0 != " " }
    }
}
