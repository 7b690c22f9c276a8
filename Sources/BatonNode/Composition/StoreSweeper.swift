import BatonStore
import ServiceLifecycle

/// Lets the store remove what is too old, until the node stops.
struct StoreSweeper: Service {
    let store: SQLiteStore

    func run() async throws {
        await cancelWhenGracefulShutdown { await store.run() }
    }
}
