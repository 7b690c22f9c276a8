import Foundation

/// What a chaos run does.
package struct ChaosSettings: Sendable {
    package var nodes = 3
    package var users = 40
    /// Messages a second of all devices together.
    package var rate = 400.0
    /// Seconds under faults; starting and catching up come on top.
    package var seconds = 60.0
    package var killEvery = 3.0
    package var faults: Set<FaultKind> = Set(FaultKind.allCases)
    package var behaviour = ChaosBehaviour()
    package var seed: UInt64
    /// The `baton` program whose nodes are to be tested.
    package var executable: String
    /// Data, logs and histories go here.
    package var directory: String
    /// The command that makes this run again, for people.
    package var command = ""

    package init(seed: UInt64, executable: String, directory: String) {
        self.seed = seed
        self.executable = executable
        self.directory = directory
    }

    /// One user in so many has two devices, so that the own devices are kept equal as well.
    static let usersPerSecondDevice = 4
    /// With less than this part of the messages that the rate asks for the run says nothing.
    package static let acceptedPart = 0.5
    /// For catching up after the last fault: above the backstop sweep's period.
    static let healSeconds = 60.0

    /// Messages that are to be sent.
    package var wanted: Int { Int(rate * seconds) }
    package var historyDirectory: String { directory + "/histories" }
    package var devices: Int { users + (users + Self.usersPerSecondDevice - 1) / Self.usersPerSecondDevice }

    /// Why these settings make no run, nil where they do.
    package var objection: String? {
        if !(1...16).contains(nodes) { return "--nodes must be 1 to 16" }
        if !(2...10_000).contains(users) { return "--users must be 2 to 10000: a message needs two" }
        if !(1...1_000_000).contains(rate) { return "--rate must be 1 to 1000000 messages a second" }
        if !(5...86_400).contains(seconds) { return "--seconds must be 5 to 86400" }
        if !(0.5...3_600).contains(killEvery) { return "--kill-every must be 0.5 to 3600 seconds" }
        if faults.isEmpty { return "--faults must name at least one of \(FaultKind.list)" }
        if FileManager.default.fileExists(atPath: historyDirectory) {
            return "\(directory) holds the histories of an earlier run: choose another --directory or remove it"
        }
        return nil
    }
}

/// What is done to the cluster.
package enum FaultKind: String, CaseIterable, Sendable {
    /// SIGKILL of a random node, again and again.
    case node
    /// Redis loses everything it holds, once.
    case redisFlush = "redis-flush"
    /// Redis is killed and starts empty, once.
    case redisKill = "redis-kill"
    /// Each node in turn is told to stop in order, and starts again.
    case sigterm

    package static var list: String { allCases.map(\.rawValue).joined(separator: ",") }
}
