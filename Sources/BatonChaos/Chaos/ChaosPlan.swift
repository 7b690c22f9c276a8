import BatonCore
import Foundation

/// The faults of a run, in order of time: a function of the settings and their seed, and of nothing else.
package struct ChaosPlan: Sendable {
    package let faults: [PlannedFault]
    /// What will not be made, and why.
    package let leftOut: [(kind: FaultKind, why: String)]

    /// The load's end is left alone, so that the last fault has met some load.
    private static let quietSeconds = 1.0
    /// Between the beginnings of two faults, but for the kills of a node, which have a beat of their own.
    private static let pace = 1.0...1.6

    package static func faults(_ settings: ChaosSettings) -> [PlannedFault] { ChaosPlan(settings).faults }

    package init(_ settings: ChaosSettings) {
        var leftOut: [(kind: FaultKind, why: String)] = []
        var draft = Draft(settings)
        for kind in FaultKind.allCases where settings.faults.kinds.contains(kind) {
            if let why = settings.obstacle(to: kind) { leftOut.append((kind, why)) } else { draft.add(kind) }
        }
        let faults = draft.faults()
        let planned = Set(faults.map(\.kind))
        for kind in FaultKind.allCases where draft.kinds.contains(kind) && !planned.contains(kind) {
            leftOut.append((kind, "there is no room for it in \(Int(settings.seconds)) s"))
        }
        self.faults = faults
        self.leftOut = leftOut
    }

    /// For people, a line a fault.
    package var text: String {
        let lines = faults.map { fault in
            String(format: "%7.1f s  %4.1f s  ", fault.at, fault.seconds) + fault.text
        }
        return (lines + leftOut.map { "left out: \($0.kind.rawValue): \($0.why)" }).joined(separator: "\n")
    }

    /// A plan that is being made.
    private struct Draft {
        /// A fault without its time.
        struct Turn {
            let kind: FaultKind
            /// Which of its variants.
            let variant: Int
        }

        let settings: ChaosSettings
        private(set) var kinds: Set<FaultKind> = []
        private var generator: SeededGenerator
        private var turns: [Turn] = []
        /// A node that is stopped for so long that nothing may wait for it.
        private var zombie: (node: Int, until: Double)?
        private var planned: [(at: Double, kind: FaultKind, action: FaultAction, seconds: Double)] = []

        init(_ settings: ChaosSettings) {
            self.settings = settings
            generator = SeededGenerator(seed: settings.seed).fork(1)
        }

        private var end: Double { settings.seconds - ChaosPlan.quietSeconds }

        mutating func add(_ kind: FaultKind) {
            kinds.insert(kind)
            switch kind {
            case .node: return
            case .zombie: return
            case .failpoint: turn(kind, FaultVariants.failpoints.count)
            case .oneWay: turn(kind, 4)
            case .halfOpen: turn(kind, 2)
            default: turn(kind, kind.group == .network ? 2 : 1)
            }
        }

        private mutating func turn(_ kind: FaultKind, _ variants: Int) {
            turns += (0..<variants).map { Turn(kind: kind, variant: $0) }
        }

        mutating func faults() -> [PlannedFault] {
            if kinds.contains(.zombie) {
                let (node, seconds) = (node(), ChaosSettings.zombieSeconds)
                plan(.zombie, at: 1, .stop(node), for: seconds...seconds)
                zombie = (node, 1 + seconds)
            }
            if kinds.contains(.node) { planKills() }
            planTurns()
            return planned.sorted { $0.at < $1.at }.enumerated().map { index, fault in
                PlannedFault(
                    number: index + 1, at: fault.at, kind: fault.kind, action: fault.action, seconds: fault.seconds)
            }
        }

        private mutating func planKills() {
            var second = settings.killEvery
            while second < end {
                plan(.node, at: second, .kill([node()]), for: FaultVariants.downSeconds)
                second += settings.killEvery
            }
        }

        /// Each once in a random order, then again, as long as there is time. What cannot be while a node is stopped
        /// for long comes first afterwards.
        private mutating func planTurns() {
            guard !turns.isEmpty else { return }
            let step = min(max((end - 1) / Double(turns.count), ChaosPlan.pace.lowerBound), ChaosPlan.pace.upperBound)
            var second = step / 2
            var (queue, postponed): ([Turn], [Turn]) = ([], [])
            while second + step / 2 < end {
                if let zombie, second >= zombie.until {
                    queue = postponed + queue
                    postponed = []
                }
                if queue.isEmpty { queue = turns.shuffled(using: &generator) }
                let turn = queue.removeFirst()
                let at = second + Double.random(in: 0..<step / 2, using: &generator)
                if plan(turn, at: (at * 1000).rounded() / 1000) {
                    second += step
                } else if postponed.count < turns.count {
                    postponed.append(turn)
                } else {
                    return
                }
            }
        }

        /// - Returns: whether it can be at that time.
        private mutating func plan(_ turn: Turn, at second: Double) -> Bool {
            if turn.kind == .sigterm {
                // One after the other, as in a rolling restart.
                return (0..<settings.nodes).count {
                    plan(.sigterm, at: second + Double($0) / 1000, .terminate($0), for: 0...0)
                } > 0
            }
            let (action, seconds) = FaultVariants.action(
                turn.kind, variant: turn.variant, nodes: settings.nodes, using: &generator)
            return plan(turn.kind, at: second, action, for: seconds)
        }

        @discardableResult
        private mutating func plan(
            _ kind: FaultKind, at second: Double, _ action: FaultAction, for seconds: ClosedRange<Double>
        ) -> Bool {
            if let zombie, second < zombie.until {
                let claim = FaultTurns.Claim(action, nodes: settings.nodes)
                guard !claim.resources.contains(.process(zombie.node)), claim.hampers.count < 2 else {
                    return false
                }
            }
            let duration = (Double.random(in: seconds, using: &generator) * 1000).rounded() / 1000
            planned.append((second, kind, action, duration))
            return true
        }

        private mutating func node() -> Int { Int.random(in: 0..<settings.nodes, using: &generator) }
    }
}
