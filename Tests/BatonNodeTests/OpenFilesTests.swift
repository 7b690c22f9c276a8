import BatonCore
import Testing

@testable import BatonNode

@Suite("Open files")
struct OpenFilesTests {
    @Test(
        "Clients are never given the last descriptors",
        arguments: [
            (limit: 0, connections: 1_000), (1_128, 1_000), (1_127, 999), (256, 128), (254, 127), (2, 1), (1, 1),
        ])
    func bound(limit: Int, connections: Int) {
        #expect(OpenFiles.connections(wanted: 1_000, limit: limit) == connections)
    }

    @Test("The limit is raised to the hard one, and stays there")
    func raised() {
        let limit = OpenFiles.raiseLimit()
        #expect(limit > 0)
        #expect(ProcessMetrics.descriptorLimit() == limit)
        #expect(OpenFiles.raiseLimit() == limit)
    }
}
