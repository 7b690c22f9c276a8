import BatonAPI
import Hummingbird

extension AddressedContext {
    /// To be called by routes that are for the operator's network.
    ///
    /// - Throws: for who comes from outside, through a proxy that is trusted, there is nothing here.
    func requireInside() throws {
        if isProxied { throw HTTPError(.notFound) }
    }
}
