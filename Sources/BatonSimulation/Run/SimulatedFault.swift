import BatonCore

/// Something that breaks in a simulated cluster, and for how long.
enum SimulatedFault: Hashable {
    case nodeKilled(Int, down: Int64)
    case nodeDies(Int, at: SimulatedPoint, down: Int64)
    /// As SIGSTOP, and SIGCONT after a while, which may be longer than any TTL.
    case nodeStill(Int, Int64)
    /// The same, as soon as the node comes to a point: before or after a commit, before or after hints are published.
    case nodeStops(Int, at: SimulatedPoint, Int64)
    case allKilled(down: Int64)
    case nodeEvacuated(Int, down: Int64)
    case networkCut(device: Int)
    /// The client is gone, and the node does not notice for a while.
    case clientVanished(device: Int, unnoticed: Int64)
    case appRestarted(device: Int)
    case readerStuck(device: Int, Int64)
    case redisRestarted(isEmptied: Bool, down: Int64)
    case redisEmptied
    case redisStalled(Int64)
    /// Redis refuses writes: out of memory, or a replica.
    case redisRefuses(Int64)
    case busLoses(percent: Int, Int64)
    case busDoubles(Int64)
    /// Redis forgets all subscriptions, though the connections live.
    case subscriptionsForgotten
    case subscribersCut
    case diskFails(isLate: Bool, Int64)
    case diskFull(Int64)
    case diskSlow(Int64)
    case readsFail(Int64)
    case clockWrong(Int, milliseconds: Int64)
    case deviceRevoked(Int)
    /// A device's user blocks another one.
    case userBlocked(by: Int, other: Int)

    static func random(nodes: Int, devices: Int, hasFailpoints: Bool, using random: inout SeededGenerator)
        -> SimulatedFault
    {
        func number(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &random) }
        let node = Int.random(in: 0..<nodes, using: &random)
        let device = Int.random(in: 0..<devices, using: &random)
        let time = [number(50...500), number(500...3_000), number(3_000...8_000)][Int(number(0...2))]
        if number(0...2) == 0 {
            let isRelays = hasFailpoints && number(0...3) > 0
            let points = isRelays ? SimulatedPoint.ofRelay : SimulatedPoint.ofStore
            let point = points[Int(number(0...Int64(points.count - 1)))]
            return number(0...1) == 0
                ? .nodeDies(node, at: point, down: time) : .nodeStops(node, at: point, pause(time, number))
        }
        switch number(0...31) {
        case 0, 1, 2: return .nodeKilled(node, down: time)
        case 3: return .allKilled(down: time)
        case 4: return .nodeEvacuated(node, down: time)
        case 5: return .networkCut(device: device)
        // Also for longer than its node waits for a sign of life.
        case 6, 30:
            return .clientVanished(device: device, unnoticed: [time, number(30_000...60_000)][Int(number(0...1))])
        case 7: return .appRestarted(device: device)
        case 8: return .readerStuck(device: device, time)
        case 9: return .redisRestarted(isEmptied: true, down: time)
        case 10: return .redisRestarted(isEmptied: false, down: time)
        case 11: return .redisEmptied
        case 12: return .redisStalled(time)
        case 13: return .redisRefuses(time)
        case 14: return .busLoses(percent: [10, 50, 100][Int(number(0...2))], time)
        case 15: return .busDoubles(time)
        case 16: return .subscriptionsForgotten
        case 17: return .subscribersCut
        case 18: return .diskFails(isLate: number(0...1) == 1, time)
        case 19: return .diskFull(time)
        case 20: return .diskSlow(time)
        case 21: return .readsFail(time)
        case 22, 23, 24, 25:
            return .nodeStill(node, pause(time, number))
        case 26, 27: return .deviceRevoked(device)
        case 28, 29: return .userBlocked(by: device, other: Int.random(in: 0..<devices, using: &random))
        default: return .clockWrong(node, milliseconds: number(-60_000...60_000))
        }
    }

    /// How long a node stands still: a moment; until its lease is running out; until others have cleaned up after it, or
    /// one that did not hear of it; until its sessions are gone, too. The lease has between 10 and 15 s left.
    private static func pause(_ moment: Int64, _ number: (ClosedRange<Int64>) -> Int64) -> Int64 {
        [moment, number(9_000...17_000), number(16_000...50_000), number(74_000...110_000)][Int(number(0...3))]
    }

    /// How long it lasts where mending it earlier would make another fault of it.
    var minimumMilliseconds: Int64 {
        switch self {
        case .nodeStill(_, let time), .nodeStops(_, _, let time): time
        default: 0
        }
    }
}
