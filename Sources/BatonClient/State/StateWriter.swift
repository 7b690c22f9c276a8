import NIOCore
import NIOPosix
import Synchronization

/// Puts records into the state file without blocking the event loop: what comes while a write is under way is
/// written, and synced, together by the next one.
final class StateWriter: Sendable {
    private struct Pending: ~Copyable {
        var records: [StateRecord] = []
        var promise: EventLoopPromise<Void>?
        var isWriting = false
    }

    private let file: StateFile?
    private let eventLoop: any EventLoop
    private let pending = Mutex(Pending())

    /// Without a file everything is kept at once: for as long as the client lives.
    init(file: StateFile?, on eventLoop: any EventLoop) {
        self.file = file
        self.eventLoop = eventLoop
    }

    var hasFile: Bool { file != nil }

    /// The future is completed, in order, when the records are on disk. Fails with a `ClientError`.
    func append(_ records: [StateRecord]) -> EventLoopFuture<Void> {
        guard file != nil else { return eventLoop.makeSucceededVoidFuture() }
        let (future, isFirst) = pending.withLock { pending in
            let promise = pending.promise ?? eventLoop.makePromise(of: Void.self)
            pending.promise = promise
            pending.records += records
            defer { pending.isWriting = true }
            return (promise.futureResult, !pending.isWriting)
        }
        if isFirst { writeNext() }
        return future
    }

    /// Waits for what is being written, and closes the file.
    func close() async {
        guard let file else { return }
        _ = try? await append([]).get()
        file.close()
    }

    private func writeNext() {
        guard let file else { return }
        NIOThreadPool.singleton.submit { _ in
            // A cancelled pool is one of a process that ends: the write is as good there.
            while let (records, promise) = self.takePending() {
                do throws(ClientError) {
                    if !records.isEmpty { try file.append(records) }
                    promise.succeed()
                } catch {
                    promise.fail(error)
                }
            }
        }
    }

    private func takePending() -> ([StateRecord], EventLoopPromise<Void>)? {
        pending.withLock { pending in
            guard let promise = pending.promise else {
                pending.isWriting = false
                return nil
            }
            let records = pending.records
            pending.records = []
            pending.promise = nil
            return (records, promise)
        }
    }
}
