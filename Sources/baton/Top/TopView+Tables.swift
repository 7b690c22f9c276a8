import BatonCore
import BatonNode

/// The tables of the view.
extension TopView {
    private struct Cell {
        var text: String
        var style = StyledLine.Style.plain
    }

    /// A line for each node; columns that find no room are left out, the least important first.
    func table(_ model: TopModel) -> [StyledLine] {
        let rows = sorted(model.rows)
        let cells: [[Cell]] = rows.map { row in
            guard let status = row.status else { return [] }
            return TopColumn.all.map { column in
                Cell(
                    text: PrintableText.escaped(column.text(row, status)),
                    style: column.isTrouble(row, status) ? .warning : .plain)
            }
        }
        let widths = TopColumn.all.indices.map { index in
            let texts =
                index == 0
                ? rows.map { PrintableText.escaped($0.node.node) } : cells.filter { !$0.isEmpty }.map { $0[index].text }
            let width = (texts + [TopColumn.all[index].title]).map { TerminalText.width($0) }.max() ?? 0
            // The first two are always shown.
            return index < 2 ? min(width, (columns - 2) / 2) : width
        }
        let shown = shownColumns(widths)
        var lines = [header(shown, widths)]
        for (row, cells) in zip(rows, cells) {
            guard !cells.isEmpty else {
                let name = Self.padded(row.node.node, widths[0], isLeft: true)
                let problem = row.node.problem ?? "does not answer"
                lines.append(
                    StyledLine(TerminalText.cut("\(name)  \(problem)", to: columns), .warning))
                continue
            }
            var line = StyledLine()
            for index in shown {
                if index != shown.first { line.add("  ") }
                line.add(Self.padded(cells[index].text, widths[index], isLeft: index < 2), cells[index].style)
            }
            lines.append(line)
        }
        for gone in model.gone {
            let name = Self.padded(gone.node, widths[0], isLeft: true)
            lines.append(StyledLine(TerminalText.cut("\(name)  gone", to: columns), .dim))
        }
        return lines
    }

    private func header(_ shown: [Int], _ widths: [Int]) -> StyledLine {
        var line = StyledLine()
        for index in shown {
            if index != shown.first { line.add("  ") }
            let title = Self.padded(TopColumn.all[index].title, widths[index], isLeft: index < 2)
            line.add(title, index == sort ? .reverse : .dim)
        }
        return line
    }

    private func shownColumns(_ widths: [Int]) -> [Int] {
        var shown = Array(TopColumn.all.indices)
        func width() -> Int { shown.reduce(-2) { $0 + widths[$1] + 2 } }
        while width() > columns, shown.count > 2,
            let least = shown.dropFirst(2).max(by: { (TopColumn.all[$0].rank, $0) < (TopColumn.all[$1].rank, $1) })
        {
            shown.removeAll { $0 == least }
        }
        return shown
    }

    /// Numbers the greatest first, names in their order; nodes that do not answer last.
    private func sorted(_ rows: [TopModel.Row]) -> [TopModel.Row] {
        let column = TopColumn.all[sort]
        return rows.sorted { left, right in
            guard let one = left.status, let other = right.status else {
                return left.status != nil || (right.status == nil && left.node.node < right.node.node)
            }
            if let order = column.order {
                let (a, b) = (order(left), order(right))
                if a != b { return (a > b) != isReversed }
            } else {
                let (a, b) = (column.text(left, one), column.text(right, other))
                if a != b { return (a < b) != isReversed }
            }
            return left.node.node < right.node.node
        }
    }

    func slowReaders(_ model: TopModel) -> [StyledLine] {
        let all = model.rows.flatMap { row in (row.status?.slowReaders.slowest ?? []).map { (row.node.node, $0) } }
            .sorted { $0.1.seconds > $1.1.seconds }
        guard !all.isEmpty else { return [] }
        let title = TerminalText.cut("SLOW READER    DEVICE         NODE       FOR  WAITING", to: columns)
        var lines = [StyledLine(), StyledLine(title, .dim)]
        for (node, reader) in all.prefix(Self.slowReaders) {
            let text =
                "\(Self.padded(reader.user, 13, isLeft: true))  \(Self.padded(reader.device, 13, isLeft: true))  "
                + "\(Self.padded(node, 8, isLeft: true))  \(Self.padded(TopNumber.time(reader.seconds), 4, isLeft: false))"
                + "  \(Self.padded(TopNumber.count(Double(reader.waiting)), 7, isLeft: false))"
            lines.append(StyledLine(TerminalText.cut(text, to: columns)))
        }
        return lines
    }

    private static func padded(_ text: String, _ width: Int, isLeft: Bool) -> String {
        let text = isLeft ? TerminalText.cut(text, to: width) : text
        let blanks = String(repeating: " ", count: max(0, width - TerminalText.width(text)))
        return isLeft ? text + blanks : blanks + text
    }
}
