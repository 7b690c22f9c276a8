import BatonCore
import Foundation
import Synchronization

/// The failpoints of a real node, as its configuration says: it kills its own process, or stands still.
///
/// All event loops of the node count together, so that `@200` is the node's 200th pass.
final class ArmedFailpoints: Sendable {
    private struct State {
        var generator: SeededGenerator
        /// For each rule how often its point was passed.
        var passes: [Int]
    }

    private let rules: [(point: Failpoint, action: FailpointRule.Action, turn: FailpointRule.Turn)]
    private let state: Mutex<State>

    init(_ rules: [FailpointRule]) {
        var seed = UInt64.random(in: 0 ... .max)
        var acts: [(Failpoint, FailpointRule.Action, FailpointRule.Turn)] = []
        for rule in rules {
            switch rule {
            case .act(let point, let action, let turn): acts.append((point, action, turn))
            case .seed(let given): seed = given
            }
        }
        self.rules = acts
        state = Mutex(State(generator: SeededGenerator(seed: seed), passes: Array(repeating: 0, count: acts.count)))
    }

    var points: Set<Failpoint> { Set(rules.map(\.point)) }

    /// For the relay.
    var failpoints: Failpoints {
        rules.isEmpty ? .none : Failpoints(points) { [self] point in actions(at: point).forEach(Self.perform) }
    }

    /// What is to happen at this pass.
    func actions(at point: Failpoint) -> [FailpointRule.Action] {
        state.withLock { state in
            var actions: [FailpointRule.Action] = []
            for (index, rule) in rules.enumerated() where rule.point == point {
                state.passes[index] += 1
                let isDue =
                    switch rule.turn {
                    case .every(let number): state.passes[index].isMultiple(of: number)
                    case .chance(let number): Int.random(in: 0..<number, using: &state.generator) == 0
                    }
                if isDue { actions.append(rule.action) }
            }
            return actions
        }
    }

    private static func perform(_ action: FailpointRule.Action) {
        switch action {
        case .kill: kill(getpid(), SIGKILL)
        // Standing still is what was asked for: whatever this event loop serves has to wait.
        case .pause(let milliseconds): Thread.sleep(forTimeInterval: Double(milliseconds) / 1_000)
        }
    }
}
