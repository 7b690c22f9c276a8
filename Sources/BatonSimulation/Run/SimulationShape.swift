import BatonCore
import BatonGateway
import BatonTestKit

/// How big a simulated cluster is, how quick its parts are, and how much is sent: chosen by the seed.
///
/// Small, so that thousands of them fit into a minute; the extremes of a knob are chosen more often than what lies
/// between them, for bugs live there.
struct SimulationShape {
    let nodes: Int
    let loopsPerNode: Int
    let users: Int
    /// Devices beside the first one of each user.
    let secondDevices: Int
    let messages: Int
    /// Notices that somebody types.
    let typings: Int
    /// The first two users never wrote to each other, and do not.
    let hasStrangers: Bool
    let loadMilliseconds: Int64
    let faults: Int
    /// Nodes can be told to die at failpoints; what leaves them is flushed a little differently then.
    let hasFailpoints: Bool
    let windowEvents: Int
    let backstopSeconds: ClosedRange<Int64>
    let network: ClosedRange<Int64>
    let disk: ClosedRange<Int64>
    let redis: ClosedRange<Int64>
    let applying: ClosedRange<Int64>
    #if DEBUG
        /// What the nodes of this cluster are told to do wrong.
        var plantedBug: PlantedBug?
    #endif
    let conversations: any ConversationStore = InMemoryConversationStore(accounts: InMemoryAccountStore())

    init(using random: inout SeededGenerator) {
        func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }
        nodes = pick([1, 2, 2, 3, 3, 4])
        loopsPerNode = pick([1, 1, 2])
        users = pick([2, 3, 3, 4])
        secondDevices = Int.random(in: 0...min(3, users), using: &random)
        messages = pick([5, 15, 30, 40])
        loadMilliseconds = pick([500, 3_000, 6_000, 10_000])
        faults = pick([0, 1, 2, 3, 5, 8])
        windowEvents = pick([1, 2, 8, 256])
        backstopSeconds = pick([2...4, 5...8, 25...40])
        network = pick([20...200, 50...2_000, 1_000...60_000])
        disk = pick([50...300, 200...3_000, 5_000...50_000])
        redis = pick([20...100, 30...400, 1_000...30_000])
        applying = pick([0...0, 0...500, 1_000...100_000])
        hasFailpoints = pick([true, false])
        typings = pick([0, 10, 20])
        hasStrangers = users > 2 && pick([true, false])
    }

    func adjust(_ settings: inout RelaySettings) {
        settings.windowEvents = windowEvents
        settings.backstopSeconds = backstopSeconds
        #if DEBUG
            settings.plantedBug = plantedBug
        #endif
    }

    var text: String {
        "\(nodes) nodes of \(loopsPerNode) loops, \(users) users with \(users + secondDevices) devices, \(messages) "
            + "messages and \(typings) typing notices in \(loadMilliseconds) ms, \(faults) faults, window "
            + "\(windowEvents), backstop \(backstopSeconds) s, network \(network) us, disk \(disk) us, redis \(redis) us, "
            + "applying \(applying) us"
    }
}
