import Foundation
package import Logging

/// Writes the log to standard error, a line an event.
package struct RelayLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: LogFormat
    private let sink: @Sendable (String) -> Void
    private let clock: @Sendable () -> (seconds: Int, microseconds: Int)

    package init(
        label: String, level: LogLevel, format: LogFormat,
        sink: @escaping @Sendable (String) -> Void = Self.standardError,
        clock: @escaping @Sendable () -> (seconds: Int, microseconds: Int) = Self.systemClock
    ) {
        self.label = label
        self.logLevel = Logger.Level(level)
        self.format = format
        self.sink = sink
        self.clock = clock
    }

    /// Makes all loggers of this process write this way. Once a process.
    package static func bootstrap(_ log: NodeConfiguration.Log) {
        LoggingSystem.bootstrap { RelayLogHandler(label: $0, level: log.level, format: log.format) }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var merged = metadata
        if let provided = metadataProvider?.get() { merged.merge(provided) { _, new in new } }
        if let own = event.metadata { merged.merge(own) { _, new in new } }
        let now = clock()
        let line = LogLine(
            seconds: now.seconds, microseconds: now.microseconds, level: event.level, label: label,
            message: event.message.description, metadata: merged, error: event.error.map { "\($0)" })
        sink(format == .json ? line.json() : line.text())
    }

    /// One `write` a line, so that lines of several threads do not mix. What standard error does not take is lost: a log
    /// must not stop the node.
    package static let standardError: @Sendable (String) -> Void = { line in
        var bytes = Array(line.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }

    package static let systemClock: @Sendable () -> (seconds: Int, microseconds: Int) = {
        let microseconds = Int(Date().timeIntervalSince1970 * 1_000_000)
        return (microseconds / 1_000_000, microseconds % 1_000_000)
    }
}

extension Logger.Level {
    fileprivate init(_ level: LogLevel) {
        switch level {
        case .trace: self = .trace
        case .debug: self = .debug
        case .info: self = .info
        case .notice: self = .notice
        case .warning: self = .warning
        case .error: self = .error
        case .critical: self = .critical
        }
    }
}
