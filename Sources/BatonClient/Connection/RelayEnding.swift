package import BatonProtocol

/// Why a connection ended, as far as the client can know.
package enum RelayEnding: Hashable, Sendable {
    /// No connection was made: no route, no listener, no time.
    case unreachable(String)
    /// The server answered the handshake with an HTTP error.
    case refused(status: Int, RelayError)
    /// A close frame came. Codes outside the catalogue are nil.
    case closed(CloseCode?, reason: String)
    /// The connection broke, or the server broke the protocol.
    case broken(String)
    /// This side closed it.
    case closedByClient
}
