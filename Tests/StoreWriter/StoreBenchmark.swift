import BatonCore
import BatonStore
import Foundation

/// Measures what a message costs in the store: sent, acknowledged by its recipient, and the receipt acknowledged by
/// its sender; every one of them alone, as when nothing coalesces.
struct StoreBenchmark: Sendable {
    struct Report: Hashable, Sendable, Codable {
        let operationsPerBatch: Int
        let messages: Int
        let messagesPerSecond: Double
        /// User and system time of the whole process.
        let cpuMicrosecondsPerMessage: Double
        let drainedPerSecond: Double
        let drainCPUMicrosecondsPerEvent: Double
    }

    enum Failure: Error {
        case outcome(StoreOutcome)
        case account(AccountError)
        case read(StoreError)
    }

    private let store: SQLiteStore
    private let pairs: Int
    private let payload: [UInt8]
    private let start: Timestamp
    private let run = UInt64.random(in: 1...(.max >> 32)) << 24

    init(store: SQLiteStore, pairs: Int = 200, payloadBytes: Int = 220, clock: any CivilClock) {
        self.store = store
        self.pairs = pairs
        payload = [UInt8](repeating: 0x62, count: payloadBytes)
        start = clock.now
    }

    /// Runs with batches of so many operations, a third of them messages.
    func measure(batch: Int, messages: Int) async throws(Failure) -> Report {
        let batchRun = UInt64.random(in: 1...(.max >> 1))
        var position = 0
        var acknowledgements: [UserID: InboxSequence] = [:]
        let clock = ContinuousClock()
        let (begin, cpu) = (clock.now, Self.cpuSeconds())
        var sent = 0
        while sent < messages {
            var operations: [StoreOperation] = []
            for (user, sequence) in acknowledgements {
                operations.append(
                    .acknowledge(
                        AcknowledgeRequest(user: user, device: device(user), position: sequence, at: start)))
            }
            acknowledgements.removeAll(keepingCapacity: true)
            for _ in 0..<max(1, batch / 3) {
                let pair = position % pairs
                operations.append(
                    .send(
                        SendRequest(
                            sender: user(2 * pair), device: device(user(2 * pair)), ref: "\(batchRun)-\(sent)",
                            target: .user(user(2 * pair + 1)), payload: payload, at: start)))
                position += 1
                sent += 1
            }
            for event in try await perform(operations) { acknowledgements[event.user] = event.sequence }
        }
        let seconds = Self.seconds(clock.now - begin)
        let used = Self.cpuSeconds() - cpu
        let drain = try await drain(messages: messages, run: batchRun)
        return Report(
            operationsPerBatch: batch, messages: sent, messagesPerSecond: Double(sent) / seconds,
            cpuMicrosecondsPerMessage: used * 1e6 / Double(sent), drainedPerSecond: drain.perSecond,
            drainCPUMicrosecondsPerEvent: drain.cpu)
    }

    /// Makes the users, each with one device.
    func prepare() async throws(Failure) {
        for number in 0..<2 * pairs {
            let id = user(number)
            do throws(AccountError) {
                _ = try await store.createUser(
                    NewUser(
                        id: id, handle: "bench\(id)", displayName: "Bench", passwordHash: "", phone: nil, email: nil,
                        createdAt: start))
                let token = NewRefreshToken(
                    hash: Array("\(id)".utf8), expiresAt: start.advanced(byMilliseconds: 86_400_000))
                _ = try await store.createDevice(
                    NewDevice(id: device(id), user: id, name: "Bench", platform: "bench", createdAt: start),
                    refreshToken: token)
            } catch {
                throw .account(error)
            }
        }
    }

    /// Stores messages for absent users, then reads all inboxes in pages.
    private func drain(messages: Int, run: UInt64) async throws(Failure) -> (perSecond: Double, cpu: Double) {
        var stored = 0
        while stored < messages {
            var operations: [StoreOperation] = []
            for _ in 0..<256 {
                let pair = stored % pairs
                operations.append(
                    .send(
                        SendRequest(
                            sender: user(2 * pair), device: device(user(2 * pair)), ref: "\(run)-d\(stored)",
                            target: .user(user(2 * pair + 1)), payload: payload, at: start)))
                stored += 1
            }
            _ = try await perform(operations)
        }
        let clock = ContinuousClock()
        let (begin, cpu) = (clock.now, Self.cpuSeconds())
        var count = 0
        var acknowledgements: [StoreOperation] = []
        for pair in 0..<pairs {
            let user = user(2 * pair + 1)
            var position = InboxSequence.zero
            while true {
                let page = try await page(of: user, after: position)
                guard let last = page.events.last else { break }
                count += page.events.count
                position = last.sequence
            }
            acknowledgements.append(
                .acknowledge(AcknowledgeRequest(user: user, device: device(user), position: position, at: start)))
        }
        let seconds = Self.seconds(clock.now - begin)
        let used = Self.cpuSeconds() - cpu
        let receipts = try await perform(acknowledgements)
        _ = try await perform(
            receipts.map {
                .acknowledge(
                    AcknowledgeRequest(user: $0.user, device: device($0.user), position: $0.sequence, at: start))
            })
        return (Double(count) / seconds, used * 1e6 / Double(max(count, 1)))
    }

    // MARK: Calls

    private func user(_ number: Int) -> UserID { UserID(rawValue: run + UInt64(number) + 1) }
    private func device(_ user: UserID) -> DeviceID { DeviceID(rawValue: user.rawValue ^ 1 << 62) }

    private func perform(_ operations: [StoreOperation]) async throws(Failure) -> [InboxEvent] {
        let outcomes = await withCheckedContinuation { continuation in
            store.submit(operations) { continuation.resume(returning: $0) }
        }
        var events: [InboxEvent] = []
        events.reserveCapacity(outcomes.count)
        for outcome in outcomes {
            switch outcome {
            case .sent(let message): events += message.events
            case .acknowledged(let receipts): events += receipts
            case .markedRead, .connected, .refused, .failed: throw .outcome(outcome)
            }
        }
        return events
    }

    private func page(of user: UserID, after position: InboxSequence) async throws(Failure) -> InboxPage {
        let result = await withCheckedContinuation { continuation in
            store.readInbox(
                of: user, after: position, limit: Limits.Store.pageEvents, bytes: Limits.Store.pageBytes
            ) { continuation.resume(returning: $0) }
        }
        do { return try result.get() } catch { throw .read(error) }
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }

    private static func cpuSeconds() -> Double {
        var usage = rusage()
        _ = getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
