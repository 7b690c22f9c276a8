import BatonCore
import GRDB

/// The two ways from async code to the store's threads.
extension SQLiteStore {
    /// Runs a change in the writer's transaction; returns when it is committed.
    func write<Value: Sendable, Failure: Error>(
        failure map: @escaping @Sendable (StoreError) -> Failure,
        _ body: @escaping @Sendable (Database) throws -> Result<Value, Failure>
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            let job = WriteJob(
                run: { db throws in
                    let result = try body(db)
                    return { continuation.resume(returning: result) }
                }, fail: { continuation.resume(returning: .failure(map($0))) })
            do throws(WriteQueue.Refusal) {
                try writes.put(.job(job))
            } catch {
                if error == .full { observer.overloaded(operations: 1) }
                continuation.resume(returning: .failure(map(error.storeError)))
            }
        }
        return try result.get()
    }

    /// Runs a query on a reader's connection, in a transaction.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (ReadConnection) throws -> Value
    ) async throws(StoreError) -> Value {
        let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
            reads.put(
                ReadPool.Job(
                    run: { connection throws in
                        let value = try body(connection)
                        continuation.resume(returning: .success(value))
                    }, fail: { continuation.resume(returning: .failure($0)) }))
        }
        return try result.get()
    }
}
