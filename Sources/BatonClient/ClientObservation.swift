package import BatonCore

/// What happens to a client below its events, at the moment when it happens. Connections are numbered from 1.
package enum ClientObservation: Sendable {
    /// An attempt to connect begins.
    case opening(connection: UInt64, RelayAddress)
    case welcomed(connection: UInt64, node: String)
    /// What waited in the inbox was received.
    case caughtUp(connection: UInt64)
    /// An entry of the inbox arrived: whether the client has it already is not looked at yet.
    case receiving(inbox: UInt64, connection: UInt64)
    /// A connection or an attempt ended.
    case ended(connection: UInt64, RelayEnding)
    /// A message leaves, for the first time or again.
    case sending(ref: String, connection: UInt64)
    /// The relay is told that the inbox is applied up to here.
    case acknowledging(inbox: UInt64)
    /// The relay is told whose presence the client wants to know.
    case watching([UserID])
}

extension BatonClient {
    func observe(_ observation: @autoclosure () -> ClientObservation) {
        guard let observer = configuration.observer else { return }
        observer(observation())
    }

    /// Tells once of each attempt that it began, and once that it ended.
    func observeOpening(_ address: RelayAddress) {
        observedConnection = connectionNumber
        observe(.opening(connection: connectionNumber, address))
    }

    func observeEnd(_ ending: RelayEnding) {
        guard let number = observedConnection else { return }
        observedConnection = nil
        observe(.ended(connection: number, ending))
    }
}
