import BatonGateway
package import BatonNode
import Foundation

/// What `baton trace --cost` prints.
package struct TraceCostReport: Encodable, Sendable {
    let nanosecondsPerMessage: Double
    let recordsPerMessage: Int

    /// Writes to a folder of its own, on the disk that the nodes' traces are on.
    package static func measure(_ configuration: NodeConfiguration) throws -> TraceCostReport {
        let folder = configuration.traceDirectory + "-cost-\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return TraceCostReport(
            nanosecondsPerMessage: try TraceCost.nanosecondsPerMessage(
                events: max(1, configuration.trace.events), in: folder
            ).rounded(),
            recordsPerMessage: TraceCost.recordsOfMessage)
    }
}
