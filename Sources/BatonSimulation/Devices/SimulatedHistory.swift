import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol

/// What one device saw, on the world's clock, in the words of the checker.
final class SimulatedHistory {
    private let name: String
    private let user: UserID
    private let world: SimulatedWorld
    private var records: [HistoryRecord]
    /// How the relay broke the protocol, if it did.
    private(set) var violations: [String] = []
    /// The last message of others that it applied, by conversation.
    private(set) var latest: [ConversationID: MessageID] = [:]

    init(
        _ name: String, _ user: UserID, _ device: DeviceID, _ encoding: Subprotocol, _ world: SimulatedWorld
    ) {
        self.name = name
        self.user = user
        self.world = world
        records = [
            HistoryRecord(
                at: 0,
                .device(
                    user: user.description, device: device.description, encoding: encoding.rawValue))
        ]
    }

    func add(_ event: HistoryRecord.Event) { records.append(HistoryRecord(at: world.now, event)) }

    private(set) var acceptedCount = 0
    private(set) var appliedCount = 0

    func violated(_ how: String) { violations.append(how) }

    func connection(_ number: Int, _ change: HistoryRecord.Connection.Change) {
        add(.connection(HistoryRecord.Connection(UInt64(number), change)))
    }

    /// An attempt or a connection ended. Clean where the relay said so, or was told.
    func ended(_ number: Int, _ ending: RelayEnding) {
        let (code, isClean): (UInt16?, Bool) =
            switch ending {
            case .closed(let code, _): (code?.rawValue, true)
            case .refused: (nil, true)
            case .unreachable, .broken, .closedByClient: (nil, false)
            }
        connection(number, .ended(code: code, isClean: isClean, why: "\(ending)"))
    }

    func accepted(_ ref: String, _ id: MessageID) {
        acceptedCount += 1
        add(.ok(ref: ref, conversation: id.conversation.description, sequence: id.sequence.rawValue))
    }

    func applied(_ event: ClientEvent, at inbox: UInt64) {
        if case .message(let message) = event {
            appliedCount += 1
            if message.sender != user { latest[message.id.conversation] = message.id }
        }
        if let record = HistoryRecord.Event(event, at: inbox) { add(record) }
    }

    /// For the checker; nil only where the first record is missing, which `init` writes.
    func finished(isRevoked: Bool) -> DeviceHistory? {
        try? DeviceHistory(name: name, records: records, isRevoked: isRevoked)
    }
}

@available(*, unavailable) extension SimulatedHistory: Sendable {}
