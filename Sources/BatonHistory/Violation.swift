/// One breach of an invariant, with the lines that prove it.
package struct Violation: Sendable {
    package let invariant: Invariant
    /// What happened, with names.
    package let what: String
    /// As few lines of the histories as show it.
    package let evidence: [HistoryLine]
}

/// A line of a history, a device's or the harness' own.
package struct HistoryLine: Hashable, Sendable {
    /// The history's name.
    package let name: String
    /// The first is 1.
    package let line: Int
    /// Nanoseconds on the histories' clock.
    package let at: Int64
    /// The line, as it stands in the file.
    package let text: String
}

/// What the histories of a run say.
package struct HistoryVerdict: Sendable {
    package var devices = 0
    /// Messages that the relay accepted.
    package var accepted = 0
    /// Messages applied, counted for each device other than the sending one.
    package var delivered = 0
    /// Messages refused for good, and those whose fate the sender never learned.
    package var failed = 0
    package var unknown = 0
    /// Messages that the run was to send; nil where the harness' own history is not there to say so.
    package var wanted: Int?
    /// How often each invariant was broken.
    package var counts: [Invariant: Int] = [:]
    /// For each broken invariant the breach that the fewest lines show.
    package var examples: [Invariant: Violation] = [:]

    package init() {}

    /// With less than this part of the messages that the rate asks for the run says nothing.
    package static let acceptedPart = 0.5

    package var isSound: Bool { counts.isEmpty }
    package func count(_ invariant: Invariant) -> Int { counts[invariant] ?? 0 }

    /// Why histories without a breach are no proof of anything; nil where they are one.
    package var weakness: String? {
        if accepted == 0 { return "no message was accepted" }
        guard let wanted, Double(accepted) < Double(wanted) * Self.acceptedPart else { return nil }
        return "only \(accepted) of \(wanted) messages were accepted: lower --rate, or give the machine less else to do"
    }

    package var outcome: RunOutcome {
        !isSound ? .fail : weakness == nil ? .pass : .inconclusive
    }
}
