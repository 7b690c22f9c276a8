import UnixSignals

/// Work that a signal ends in order, so that nothing that it started survives it.
enum EndedBySignal {
    /// What a program exits with then.
    static let status: Int32 = 130

    /// - Returns: nil where a signal ended it.
    static func run<Outcome: Sendable>(_ body: @escaping @Sendable () async -> Outcome?) async throws -> Outcome? {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        return try await withThrowingTaskGroup(of: Outcome?.self) { group in
            group.addTask { await body() }
            group.addTask {
                for await _ in signals { return nil }
                return nil
            }
            let first = try await group.next().flatMap { $0 }
            group.cancelAll()
            if first == nil { Output.explanation("\nstopping what was started") }
            // After a signal the work is cancelled, and awaited: it stops its processes.
            for try await _ in group {}
            return first
        }
    }
}
