package import Logging
import ServiceLifecycle
import UnixSignals

/// A relay node: makes all parts from a configuration, starts them in the order in which they need each other, and
/// stops them in the other.
package struct Node: Sendable {
    private let configuration: NodeConfiguration
    private let logger: Logger

    package init(configuration: NodeConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Runs until the process is told to stop by SIGTERM or SIGINT, evacuates, and returns.
    package func run() async throws {
        let parts = try await NodeParts.make(configuration, logger: logger)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    // Stopped from the last to the first.
                    .init(service: parts.base),
                    .init(service: StorePeerKeeper(peers: parts.storePeers, logger: logger)),
                    .init(service: parts.lastSeen),
                    .init(service: StoreSweeper(store: parts.store)),
                    .init(service: RelayService(parts: parts)),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }
}
