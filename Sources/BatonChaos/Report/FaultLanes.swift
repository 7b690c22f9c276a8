import BatonHistory

/// Where each fault is drawn: a row of lanes for each target, so that faults that overlap do not hide each other.
///
/// However many faults there are, what is drawn is bounded: where a target's lanes are full, one stands for several.
struct FaultLanes: Sendable {
    struct Item: Sendable {
        /// The first, and how many more are under it.
        let fault: FaultSpan
        var more = 0
        /// Points: of the fault, of the end of what it broke, of the end of its recovery.
        let from: Double
        var healed: Double
        var to: Double
        var label: String?
        /// For people, a line a fault.
        var lines: [String]
    }

    struct Target: Sendable {
        let name: String
        var lanes: [[Item]] = []
    }

    private(set) var targets: [Target] = []

    static let mostTargets = 24
    private static let mostLanes = 3
    private static let mostLines = 3
    /// What stands for several is as wide as this, so that a long run shows where there were many.
    private static let cell = 40.0
    private static let shortest = 3.0
    private static let gap = 2.0
    private static let characterWidth = 6.1
    private static let longestLabel = 28

    /// - Parameters:
    ///   - x: where a moment is, in points.
    ///   - right: where the drawing ends.
    ///   - line: what is said of a fault.
    init(
        _ faults: [FaultSpan], _ recovery: RecoveryTimes, right: Double, x: (Int64) -> Double,
        line: (FaultSpan) -> String
    ) {
        let names = Set(faults.map(\.target)).sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
        let shown = Set(names.prefix(Self.mostTargets))
        targets = names.prefix(Self.mostTargets).map { Target(name: $0) }
        if names.count > Self.mostTargets { targets.append(Target(name: "others")) }
        let numbers = Dictionary(uniqueKeysWithValues: targets.enumerated().map { ($1.name, $0) })
        for fault in faults {
            let name = shown.contains(fault.target) ? fault.target : "others"
            guard let target = numbers[name] else { continue }
            let from = x(fault.began)
            let healed = max(from + Self.shortest, fault.healed.map(x) ?? right)
            let to = max(healed, fault.healed.map { x($0 + (recovery.byNumber[fault.number] ?? 0)) } ?? right)
            var item = Item(fault: fault, from: from, healed: healed, to: to, lines: [line(fault)])
            item.label = String(fault.kind.prefix(Self.longestLabel))
            if from + Self.width(of: item) > right { item.label = nil }
            Self.place(item, on: &targets[target].lanes)
        }
    }

    /// Where the next one of the lane may begin.
    private static func end(of item: Item) -> Double { max(item.to, item.from + width(of: item)) + gap }

    /// Of the label.
    private static func width(of item: Item) -> Double { Double(item.label?.count ?? 0) * characterWidth + gap }

    /// In the first lane with room for it and for the label before it, in a new one, or over what is there.
    private static func place(_ item: Item, on lanes: inout [[Item]]) {
        for lane in lanes.indices where lanes[lane].last.map(end(of:)) ?? 0 <= item.from {
            return lanes[lane].append(item)
        }
        if lanes.count < mostLanes { return lanes.append([item]) }
        let ends = lanes.map { $0.last.map { $0.to + gap } ?? 0 }
        guard let lane = lanes.indices.min(by: { ends[$0] < ends[$1] }), var last = lanes[lane].popLast() else {
            return
        }
        if last.to + gap <= item.from {
            last.label = nil
            lanes[lane] += [last, item]
        } else if item.from - last.from >= cell {
            last.to = min(last.to, item.from)
            last.healed = min(last.healed, last.to)
            lanes[lane] += [last, item]
        } else {
            last.more += 1
            last.healed = max(last.healed, item.healed)
            last.to = max(last.to, item.to)
            if last.lines.count < mostLines { last.lines += item.lines }
            lanes[lane].append(last)
        }
    }
}
