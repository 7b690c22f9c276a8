import BatonCore
import Logging
import ServiceLifecycle
import Synchronization

/// Carries "last seen" from the event loops to the store, in batches: it is worth little, and must cost as much.
final class LastSeenWriter: Service {
    private let accounts: any AccountStore
    private let logger: Logger
    private let waiting = Mutex<[UserID: Timestamp]>([:])

    private static let period = Duration.seconds(5)

    init(accounts: any AccountStore, logger: Logger) {
        self.accounts = accounts
        self.logger = logger
    }

    func record(_ user: UserID, _ at: Timestamp) {
        waiting.withLock { waiting in
            if waiting.count < Limits.Store.lastSeenUsers || waiting[user] != nil { waiting[user] = at }
        }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await ContinuousClock().sleep(for: Self.period)
                await self.write()
            }
        }
        await write()
    }

    func write() async {
        let times = waiting.withLock { waiting in
            let times = waiting
            waiting = [:]
            return times
        }
        guard !times.isEmpty else { return }
        do {
            try await accounts.recordLastSeen(times)
        } catch {
            logger.warning("last seen times not stored", metadata: ["users": "\(times.count)", "error": "\(error)"])
        }
    }
}
