import BatonAPI
import Hummingbird

extension AddressedContext {
    /// To be called by routes that are for the operator's network.
    ///
    /// - Throws: `notFound` for a request that came through a trusted proxy, so from outside.
    package func requireInside() throws {
        if isProxied { throw HTTPError(.notFound) }
    }
}
