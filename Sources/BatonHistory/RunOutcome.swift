/// What a run proved.
package enum RunOutcome: String, Sendable, Encodable {
    case pass, fail, inconclusive

    /// What the program exits with.
    package var exitCode: Int32 {
        switch self {
        case .pass: 0
        case .fail: 1
        case .inconclusive: 3
        }
    }
}
