package import Logging
import Synchronization

/// Remembers what was logged.
package struct RecordedLog: LogHandler {
    private final class Store: Sendable {
        let lines = Mutex<[String]>([])
    }

    private let store = Store()
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level

    /// - Parameter logLevel: what is below it is not kept.
    package init(logLevel: Logger.Level) { self.logLevel = logLevel }

    /// The messages, in their order.
    package var lines: [String] { store.lines.withLock { $0 } }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        store.lines.withLock { $0.append("\(event.message)") }
    }
}
