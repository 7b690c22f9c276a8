/// A fault as the harness' own history tells it, from its beginning to its mending.
package struct FaultSpan: Hashable, Sendable {
    package let number: Int
    package let kind: String
    package let target: String
    package let what: String
    package let began: Int64
    /// nil where it was never mended.
    package let healed: Int64?

    package init(number: Int, kind: String, target: String, what: String, began: Int64, healed: Int64?) {
        self.number = number
        self.kind = kind
        self.target = target
        self.what = what
        self.began = began
        self.healed = healed
    }
}

extension ClusterHistory {
    /// In the order of their beginnings.
    package var faults: [FaultSpan] {
        var healed: [Int: Int64] = [:]
        for record in records {
            if case .healed(let number) = record.event, healed[number] == nil { healed[number] = record.moment }
        }
        return records.compactMap { record in
            guard case .fault(let number, let kind, let target, let what) = record.event else { return nil }
            return FaultSpan(
                number: number, kind: kind, target: target, what: what, began: record.moment,
                healed: healed[number].map { max($0, record.moment) })
        }.sorted { $0.began < $1.began }
    }

    /// What was asked of the run; nil where the history does not say.
    package var run: ClusterRecord.Run? {
        for case .run(let run) in records.lazy.map(\.event) { return run }
        return nil
    }

    /// What processes did that they must not.
    package var misbehaviour: [String] {
        records.compactMap { record in
            if case .misbehaved(let what) = record.event { what } else { nil }
        }
    }
}
