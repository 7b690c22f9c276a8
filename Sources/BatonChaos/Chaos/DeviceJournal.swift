import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import Synchronization

/// Writes one device's history, from what the device does and what its client is seen to do.
///
/// It knows which messages have no outcome yet, so that the history says of each that is left what is the truth:
/// nobody knows.
final class DeviceJournal: Sendable {
    private struct State {
        /// Messages without an outcome.
        var open: Set<String> = []
        /// Those whose outcome came before it was written that they were sent.
        var early: Set<String> = []
        var nextConnection = DeviceJournal.firstOwnConnection
        var pausedUntil: ContinuousClock.Instant?
    }

    /// Connections that the device makes without its client are numbered from here on.
    private static let firstOwnConnection: UInt64 = 1 << 32

    let history: HistoryFile
    private let state = Mutex(State())

    init(_ history: HistoryFile) { self.history = history }

    // MARK: Messages

    func invoked(_ ref: String, in conversation: ConversationID, to peer: UserID, body: UInt64, at moment: Int64) {
        history.append(
            .invoked(
                ref: ref, conversation: conversation.description, recipients: [peer.description], body: body),
            at: moment)
        state.withLock { state in
            if state.early.remove(ref) == nil { state.open.insert(ref) }
        }
    }

    func accepted(_ ref: String, as id: MessageID) {
        history.append(
            .ok(ref: ref, conversation: id.conversation.description, sequence: id.sequence.rawValue))
        settle(ref)
    }

    func rejected(_ ref: String, _ code: String) {
        history.append(.failed(ref: ref, code: code))
        settle(ref)
    }

    /// The device does not try any longer.
    func gaveUp(_ ref: String) {
        history.append(.unknown(ref: ref))
        settle(ref)
    }

    private func settle(_ ref: String) {
        state.withLock { state in
            if state.open.remove(ref) == nil { state.early.insert(ref) }
        }
    }

    /// The end of the history.
    func close() throws {
        for ref in state.withLock({ $0.open }).sorted() { history.append(.unknown(ref: ref)) }
        try history.close()
    }

    // MARK: Connections

    /// What the device's client does.
    func observed(_ observation: ClientObservation) {
        switch observation {
        case .opening(let number, let address): connection(number, .opened(address: address.description))
        case .welcomed(let number, let node): connection(number, .welcomed(node: node))
        case .caughtUp(let number): connection(number, .live)
        case .ended(let number, let ending): ended(number, ending)
        case .sending(let ref, let number): history.append(.sent(ref: ref, connection: number))
        case .receiving(let inbox, let number): history.append(.received(inbox: inbox, connection: number))
        case .acknowledging(let inbox): history.append(.acked(inbox: inbox))
        case .watching(let users): history.append(.watching(users.map(\.description)))
        }
    }

    func connection(_ number: UInt64, _ change: HistoryRecord.Connection.Change) {
        history.append(.connection(HistoryRecord.Connection(number, change)))
    }

    func ended(_ number: UInt64, _ ending: RelayEnding) {
        let (code, isClean): (UInt16?, Bool) =
            switch ending {
            case .closed(let code, _): (code?.rawValue, true)
            case .closedByClient: (nil, true)
            case .unreachable, .refused, .broken: (nil, false)
            }
        connection(number, .ended(code: code, isClean: isClean, why: ending.reason))
    }

    /// A number for a connection that the device makes without its client.
    func newConnection() -> UInt64 {
        state.withLock { state in
            defer { state.nextConnection += 1 }
            return state.nextConnection
        }
    }

    // MARK: Pauses

    /// The device is to stop reading.
    func pause(until moment: ContinuousClock.Instant) { state.withLock { $0.pausedUntil = moment } }

    func takePause() -> ContinuousClock.Instant? {
        state.withLock { state in
            defer { state.pausedUntil = nil }
            return state.pausedUntil
        }
    }
}
