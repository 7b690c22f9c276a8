package import BatonCore
package import BatonProtocol
import Synchronization

/// Remembers which devices were announced as revoked.
package final class RecordingRevocationAnnouncer: RevocationAnnouncer {
    private let devices = Mutex<[DeviceID]>([])
    private let isReachable: Bool

    /// - Parameter isReachable: false for a bus that is down.
    package init(isReachable: Bool = true) {
        self.isReachable = isReachable
    }

    /// In the order of the announcements.
    package var announced: [DeviceID] { devices.withLock { $0 } }

    package func announceRevoked(_ device: DeviceID, of user: UserID) async -> Bool {
        devices.withLock { $0.append(device) }
        return isReachable
    }
}

/// Remembers which pairs of users were announced.
package final class RecordingAcquaintanceAnnouncer: AcquaintanceAnnouncer {
    private let pairs = Mutex<[[UserID]]>([])

    package init() {}

    /// In the order of the announcements.
    package var announced: [[UserID]] { pairs.withLock { $0 } }

    package func announceAcquaintance(of user: UserID, and other: UserID) async -> Bool {
        pairs.withLock { $0.append([user, other]) }
        return true
    }
}

/// The presence that a test has set; nil for a registry that cannot be reached.
package final class SettablePresence: PresenceReader {
    private let known = Mutex<[UserID: Presence]?>([:])

    package init() {}

    package func set(_ presence: [UserID: Presence]?) { known.withLock { $0 = presence } }

    package func presence(of users: [UserID]) async -> [UserID: Presence]? {
        known.withLock { known in
            known.map { known in
                Dictionary(
                    users.map { ($0, known[$0] ?? .offline(lastSeen: nil)) }, uniquingKeysWith: { first, _ in first })
            }
        }
    }
}

/// The devices that a test says are connected; nil for a registry that cannot be reached.
package final class SettableSessions: SessionReader {
    private let connected = Mutex<Set<DeviceID>?>([])

    package init() {}

    package func set(_ devices: Set<DeviceID>?) { connected.withLock { $0 = devices } }

    package func connectedDevices(of user: UserID) async -> Set<DeviceID>? { connected.withLock { $0 } }
}

/// Remembers what was to be sent, and answers as a test wants it.
package final class ScriptedSubmitter: MessageSubmitter {
    private let sent = Mutex<[(send: WireSend, sender: Principal)]>([])
    private let answer = Mutex<Result<WireAccepted, FrameError>>(.success(WireAccepted()))

    package init() {}

    package var submitted: [(send: WireSend, sender: Principal)] { sent.withLock { $0 } }

    package func set(_ answer: Result<WireAccepted, FrameError>) { self.answer.withLock { $0 = answer } }

    package func submit(_ send: WireSend, by sender: Principal) async throws(FrameError) -> WireAccepted {
        sent.withLock { $0.append((send, sender)) }
        return try answer.withLock { $0 }.get()
    }
}
