package import Logging

/// A relay node: makes all parts from a configuration, starts and stops them.
package struct Node: Sendable {
    private let configuration: NodeConfiguration
    private let logger: Logger

    package init(configuration: NodeConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Runs until the process is told to stop.
    package func run() async throws {
        logger.info(
            "node starting", metadata: ["host": "\(configuration.listen.host)", "port": "\(configuration.listen.port)"])
    }
}
