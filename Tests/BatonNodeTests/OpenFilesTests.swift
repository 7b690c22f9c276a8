import BatonCore
import Testing

@testable import BatonNode

@Suite("Open files")
struct OpenFilesTests {
    @Test(
        "Clients are never given the last descriptors, and plain requests not those of WebSockets",
        arguments: [
            (limit: 0, sockets: 1_000, plain: 100, reserve: 10), (1_238, 1_000, 100, 10), (1_237, 999, 100, 10),
            (256, 96, 22, 10), (254, 96, 21, 10), (16, 6, 1, 1), (2, 1, 1, 1), (1, 1, 1, 1),
        ])
    func shares(limit: Int, sockets: Int, plain: Int, reserve: Int) {
        let wanted = OpenFiles.Shares(sockets: 1_000, plain: 100, reserve: 10)
        let shares = OpenFiles.shares(wanted: wanted, limit: limit)
        #expect(shares == OpenFiles.Shares(sockets: sockets, plain: plain, reserve: reserve))
    }

    @Test("The limit is raised to the hard one, and stays there")
    func raised() {
        let limit = OpenFiles.raiseLimit()
        #expect(limit > 0)
        #expect(ProcessMetrics.descriptorLimit() == limit)
        #expect(OpenFiles.raiseLimit() == limit)
    }
}
