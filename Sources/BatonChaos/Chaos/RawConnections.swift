import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import NIOCore
import NIOPosix
import Synchronization

/// Connections that a device makes without its client, and what happens on them as one stream. All of it is written
/// into the device's history, also after nobody reads the stream any longer.
struct RawConnections: Sendable {
    typealias Element = (number: UInt64, event: RawConnection.Event)

    /// The connections' numbers, in the order of their addresses.
    let numbers: [UInt64]
    /// Ends when all of them have ended, or their time is up.
    let events: AsyncStream<Element>

    /// Begins to connect.
    ///
    /// - Parameter encodings: what the device's connections speak, in turn; at least one.
    init(
        to addresses: [RelayAddress], speaking encodings: [Subprotocol], accessToken: String,
        _ journal: DeviceJournal, within limit: TimeAmount
    ) {
        let numbers = addresses.map { _ in journal.newConnection() }
        self.numbers = numbers
        // A few events a connection come, whatever the relay does: all but the first few end the connection.
        let (stream, continuation) = AsyncStream.makeStream(of: Element.self)
        events = stream
        let timer = MultiThreadedEventLoopGroup.singleton.next().scheduleTask(in: limit) { continuation.finish() }
        continuation.onTermination = { _ in timer.cancel() }
        let open = Open(numbers)
        for (number, address) in zip(numbers, addresses) {
            journal.connection(number, .opened(address: address.description))
            let encoding = encodings[Int(number % UInt64(encodings.count))]
            RawConnection.open(address, encoding, accessToken: accessToken) { event in
                if case .welcomed(let node) = event { journal.connection(number, .welcomed(node: node)) }
                if case .ended(let ending) = event { journal.ended(number, ending) }
                continuation.yield((number, event))
                if case .ended = event, open.ended(number) { continuation.finish() }
            }
        }
        if numbers.isEmpty { continuation.finish() }
    }

    /// The connections that have not ended.
    private final class Open: Sendable {
        private let numbers: Mutex<Set<UInt64>>

        init(_ numbers: [UInt64]) { self.numbers = Mutex(Set(numbers)) }

        /// - Returns: whether it was the last one.
        func ended(_ number: UInt64) -> Bool {
            numbers.withLock { numbers in
                numbers.remove(number)
                return numbers.isEmpty
            }
        }
    }
}
