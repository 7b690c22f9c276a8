/// One thing that every implementation of a port does. Test targets run them as arguments of one test.
package struct ConformanceCase<Subject: Sendable>: Sendable, CustomStringConvertible {
    /// A sentence about the domain.
    package let description: String
    package let run: @Sendable (Subject) async throws -> Void

    init(_ description: String, _ run: @escaping @Sendable (Subject) async throws -> Void) {
        self.description = description
        self.run = run
    }
}

/// What was not as it has to be, and where.
package struct ConformanceFailure: Error, CustomStringConvertible {
    package let description: String
}

/// Fails the case where two values differ.
func expectEqual<Value: Equatable>(
    _ actual: Value, _ expected: Value, file: StaticString = #fileID, line: UInt = #line
) throws {
    guard actual != expected else { return }
    throw ConformanceFailure(description: "\(file):\(line): \(actual) is not \(expected)")
}

/// Fails the case where there is nothing.
func require<Value>(_ value: Value?, file: StaticString = #fileID, line: UInt = #line) throws -> Value {
    guard let value else { throw ConformanceFailure(description: "\(file):\(line): there is nothing") }
    return value
}

/// Fails the case where something else than this error is thrown, or nothing.
func expectError<Failure: Error & Equatable>(
    _ expected: Failure, file: StaticString = #fileID, line: UInt = #line, _ body: () async throws -> Void
) async throws {
    do {
        try await body()
    } catch let error as Failure where error == expected {
        return
    } catch {
        throw ConformanceFailure(description: "\(file):\(line): \(error) is not \(expected)")
    }
    throw ConformanceFailure(description: "\(file):\(line): \(expected) was not thrown")
}
