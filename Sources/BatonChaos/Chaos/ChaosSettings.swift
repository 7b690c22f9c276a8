import Foundation

/// What a chaos run does.
package struct ChaosSettings: Sendable {
    package var nodes = 3
    package var users = 40
    /// Messages a second of all devices together.
    package var rate = 400.0
    /// Seconds under faults; starting and catching up come on top.
    package var seconds = 60.0
    package var killEvery = 6.0
    package var faults = FaultSelection.everything
    package var behaviour = ChaosBehaviour()
    package var seed: UInt64
    /// The `baton` program whose nodes are to be tested.
    package var executable: String
    /// An earlier version of it, for `mixed`: nodes begin with it, and go back to it for a while.
    package var otherExecutable: String?
    /// The library that makes nodes see the faults of a host; nil where it was not built.
    package var shim: String?
    /// Data, logs and histories go here.
    package var directory: String
    /// The command that makes this run again, for people.
    package var command = ""
    /// For catching up after the last fault: above the backstop sweep's period.
    package var healSeconds = 60.0
    /// How long nothing is done before the load and after it, so that what the cluster uses can be compared.
    package var quietSeconds = 2.0
    /// Variables of each node besides this program's own: what the harness is to find.
    package var environment: [String: String] = [:]

    package init(seed: UInt64, executable: String, directory: String) {
        self.seed = seed
        self.executable = executable
        self.directory = directory
    }

    /// One user in so many has two devices, so that the own devices are kept equal as well.
    static let usersPerSecondDevice = 4
    /// Longer than the longest TTL, that of a session, and a while in which the others clean up.
    static let zombieSeconds = 85.0
    /// What is to be seen of a zombie that wakes up.
    static let afterZombie = 15.0

    /// Messages that are to be sent.
    package var wanted: Int { Int(rate * seconds) }
    package var historyDirectory: String { directory + "/histories" }
    package var devices: Int { users + (users + Self.usersPerSecondDevice - 1) / Self.usersPerSecondDevice }

    /// Why a fault cannot be made with these settings, nil where it can.
    func obstacle(to kind: FaultKind) -> String? {
        if kind.needsShim, shim == nil {
            return "it needs the fault shim beside the program: swift build --product BatonFaultShim, or ops/chaos"
        }
        switch kind {
        case .zombie where seconds < Self.zombieSeconds + Self.afterZombie:
            return "it stops a node for \(Int(Self.zombieSeconds)) s, longer than every TTL: "
                + "--seconds \(Int(Self.zombieSeconds + Self.afterZombie)) or more"
        case .mixed where otherExecutable == nil: return "it needs another version: --other-executable PATH"
        case .killTwo where nodes < 3: return "it needs a node that stays: --nodes 3 or more"
        default: return nil
        }
    }

    /// Why these settings make no run, nil where they do.
    package var objection: String? {
        if !(1...16).contains(nodes) { return "--nodes must be 1 to 16" }
        if !(2...10_000).contains(users) { return "--users must be 2 to 10000: a message needs two" }
        if !(1...1_000_000).contains(rate) { return "--rate must be 1 to 1000000 messages a second" }
        if !(5...86_400).contains(seconds) { return "--seconds must be 5 to 86400" }
        if !(0.5...3_600).contains(killEvery) { return "--kill-every must be 0.5 to 3600 seconds" }
        if faults.kinds.isEmpty { return "--faults must name at least one of \(FaultKind.list)" }
        for kind in FaultKind.allCases where faults.kinds.contains(kind) {
            guard faults.named.contains(kind) || kind.needsShim && !faults.isDefault else { continue }
            if let obstacle = obstacle(to: kind) { return "--faults \(kind.rawValue): \(obstacle)" }
        }
        if FileManager.default.fileExists(atPath: historyDirectory) {
            return "\(directory) holds the histories of an earlier run: choose another --directory or remove it"
        }
        return nil
    }
}
