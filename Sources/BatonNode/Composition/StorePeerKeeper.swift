import BatonStore
import Logging
import NIOPosix
import ServiceLifecycle

/// Lets the node take part among the processes of its store: once a second, on a thread that may wait for the disk.
struct StorePeerKeeper: Service {
    let peers: StorePeers
    let logger: Logger

    private static let period = Duration.seconds(1)
    /// Before the node begins it looks a few times more, where all others have another clock: within a second each of them that
    /// lives has said something.
    private static let firstLooks = 6
    private static let firstPeriod = Duration.milliseconds(250)

    /// The first look, so that the node begins with the right time.
    func begin() async {
        for number in 1...Self.firstLooks {
            await look()
            guard number < Self.firstLooks, peers.isContradicted, peers.clockCorrection == 0 else { break }
            try? await ContinuousClock().sleep(for: Self.firstPeriod)
        }
        if peers.clockCorrection != 0 { tell(peers.clockCorrection) }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { await lookOnAndOn() }
        try? await NIOThreadPool.singleton.runIfActive { peers.leave() }
    }

    private func lookOnAndOn() async {
        var before = peers.clockCorrection
        while !Task.isCancelled {
            try? await ContinuousClock().sleep(for: Self.period)
            await look()
            let now = peers.clockCorrection
            if (now == 0) != (before == 0) { tell(now) }
            before = now
        }
    }

    private func look() async { try? await NIOThreadPool.singleton.runIfActive { peers.look() } }

    private func tell(_ correction: Int64) {
        if correction == 0 {
            logger.notice("this process' clock is that of the store's other processes again")
        } else {
            logger.error(
                "this process' clock differs from that of the store's other processes; theirs is used",
                metadata: ["milliseconds": "\(-correction)"])
        }
    }
}
