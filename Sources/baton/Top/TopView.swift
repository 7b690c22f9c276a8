import BatonCore
import BatonNode
import Foundation

/// Draws a cluster as lines: a summary, a table of nodes, what is wrong, who reads slowly. Pure.
struct TopView {
    var columns: Int
    /// The column to sort by, an index of `TopColumn.all`.
    var sort = 0
    var isReversed = false
    /// Slow readers that are shown.
    static let slowReaders = 8

    func lines(_ model: TopModel) -> [StyledLine] {
        guard let look = model.latest else { return [StyledLine("no node has answered yet", .dim)] }
        var lines = summary(model, look)
        lines.append(StyledLine())
        lines += table(model)
        let problems = model.problems
        if !problems.isEmpty {
            lines.append(StyledLine())
            for problem in problems {
                let style: StyledLine.Style = problem.severity == .bad ? .warning : .bold
                lines.append(cut(problem.severity == .bad ? "!! " : "!  ", problem, style))
            }
        }
        return lines + slowReaders(model)
    }

    private func cut(_ mark: String, _ problem: ClusterStatus.Problem, _ style: StyledLine.Style) -> StyledLine {
        let text = mark + (problem.node.map { "\($0) " } ?? "") + problem.text
        return StyledLine(TerminalText.cut(text, to: columns), style)
    }

    // MARK: The summary

    private func summary(_ model: TopModel, _ look: ClusterStatus) -> [StyledLine] {
        let answering = look.nodes.count { $0.status != nil }
        let isBad = model.problems.contains { $0.severity == .bad }
        let state = isBad ? "trouble" : model.problems.isEmpty ? "healthy" : "look"
        let nodes = answering == look.nodes.count ? "\(answering)" : "\(answering) of \(look.nodes.count)"
        let (accept, commit) = (model.whole(\.accept), model.whole(\.commit))
        var backlog = look.store.backlog.map { TopNumber.count($0) } ?? TopNumber.unknown
        if look.store.backlogIsBound { backlog += "+" }
        return [
            StyledLine.bar(
                left: "baton  \(state)  \(nodes) node\(look.nodes.count == 1 ? "" : "s")",
                right: "\(Self.clock(look.at)), as \(look.answeredBy) sees it", columns: columns, style: .reverse),
            line([
                ("messages/s", TopNumber.count(model.rate(\.accepted))),
                ("events delivered/s", TopNumber.count(model.rate(\.delivered))),
                ("connections", TopNumber.count(model.total { $0.connections.open })),
                ("backlog", backlog),
                ("unacknowledged", TopNumber.count(model.total { Int($0.messages.unacknowledged) })),
            ]),
            line([
                ("accept", Self.halfAndTail(accept)), ("commit", Self.halfAndTail(commit)),
                ("batch", TopNumber.count(model.whole(\.batch).mean)),
                ("hints missed", "\(TopNumber.count(Double(model.missedLately))) lately"),
                ("slow readers", TopNumber.count(model.total { $0.slowReaders.count })),
            ]),
            line(redis(look) + store(model, look)),
        ]
    }

    private func redis(_ look: ClusterStatus) -> [(String, String)] {
        guard let redis = look.redis else { return [("redis", "does not answer")] }
        return [
            (
                "redis",
                "\(TopNumber.seconds(redis.answerSeconds)), \(TopNumber.count(redis.commandsPerSecond)) commands/s, "
                    + "\(TopNumber.bytes(redis.usedBytes)), \(redis.clients) clients"
            )
        ]
    }

    private func store(_ model: TopModel, _ look: ClusterStatus) -> [(String, String)] {
        let failures = Set(model.rows.compactMap(\.status?.store.failure)).sorted()
        let state = failures.isEmpty ? "ok" : failures.joined(separator: ", ")
        let pages = model.rows.compactMap(\.status?.store.walPages).max() ?? 0
        return [
            (
                "store",
                "\(state), \(TopNumber.bytes(look.store.fileBytes)), \(TopNumber.count(Double(pages))) WAL pages, "
                    + "\(TopNumber.count(model.total { Int($0.store.queued) })) queued, "
                    + "\(TopNumber.bytes(look.store.freeBytes)) free"
            )
        ]
    }

    /// Names dim and values plain, as many as fit.
    private func line(_ pairs: [(String, String)]) -> StyledLine {
        var line = StyledLine()
        var room = columns
        for (name, text) in pairs {
            let value = PrintableText.escaped(text)
            let gap = line.runs.isEmpty ? "" : "   "
            let width = gap.count + name.count + 1 + TerminalText.width(value)
            guard width <= room else { break }
            line.add(gap + name + " ", .dim)
            line.add(value)
            room -= width
        }
        return line
    }

    private static func halfAndTail(_ distribution: Distribution) -> String {
        "\(TopNumber.seconds(distribution.quantile(0.5))) p50 \(TopNumber.seconds(distribution.quantile(0.99))) p99"
    }

    private static func clock(_ milliseconds: Int64) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "HH:mm:ss"
        return formatter.string(from: Date(timeIntervalSince1970: Double(milliseconds) / 1_000))
    }
}
