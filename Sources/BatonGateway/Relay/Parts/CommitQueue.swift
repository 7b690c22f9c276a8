package import BatonCore

/// What a loop hands to its store. The operations of one tick are one batch; a batch that was handed over is remembered until
/// its outcomes are there.
///
/// Acknowledgements may wait for company: they go with the next batch, or with one of their own when their time is up.
///
/// It does not know the store and keeps no time: `RelayLoop` hands batches over and says when time is up.
/// Used on the event loop of the `RelayLoop` that owns it.
///
/// - `Origin`: what wants to know what became of an operation.
package struct CommitQueue<Origin> {
    private var operations: [StoreOperation] = []
    private var origins: [Origin] = []
    private var patientOperations: [StoreOperation] = []
    private var patientOrigins: [Origin] = []
    private var submitted: [UInt64: [Origin]] = [:]
    private var lastNumber: UInt64 = 0

    package init() {}

    /// For the next batch.
    package mutating func add(_ operation: StoreOperation, for origin: Origin) {
        operations.append(operation)
        origins.append(origin)
    }

    /// For a batch that is made anyway.
    ///
    /// - Returns: whether it is the first that waits, so that its time begins.
    package mutating func addPatiently(_ operation: StoreOperation, for origin: Origin) -> Bool {
        patientOperations.append(operation)
        patientOrigins.append(origin)
        return patientOperations.count == 1
    }

    /// The batch to hand over now; nil where there is none.
    ///
    /// - Parameter isPatienceOver: whether what waits for company makes a batch of its own.
    package mutating func take(isPatienceOver: Bool) -> (number: UInt64, operations: [StoreOperation])? {
        guard isPatienceOver || !operations.isEmpty else { return nil }
        operations += patientOperations
        origins += patientOrigins
        patientOperations = []
        patientOrigins = []
        guard !operations.isEmpty else { return nil }
        lastNumber += 1
        submitted[lastNumber] = origins
        let batch = operations
        operations = []
        origins = []
        return (lastNumber, batch)
    }

    /// The outcomes of a batch are there.
    ///
    /// - Returns: the origins of its operations, in their order; nil where it has ended before.
    package mutating func ended(_ number: UInt64) -> [Origin]? { submitted.removeValue(forKey: number) }

    /// Of a batch that has not ended.
    package func origins(of number: UInt64) -> [Origin] { submitted[number] ?? [] }

    /// Batches that the store has.
    package var batchesUnderWay: Int { submitted.count }
}
