import BatonCore

/// What `baton inspect` found: fields and tables, for people as text and for programs as JSON. One description makes
/// both.
package struct InspectionReport: Sendable, Encodable {
    package enum Value: Sendable, Hashable, Encodable {
        case text(String)
        case number(Int64)
        /// A time in thousandths of what the column says; shown with three decimals.
        case thousandths(Int64)
        case flag(Bool)
        case none

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .thousandths(let number): try container.encode(Double(number) / 1_000)
            case .flag(let flag): try container.encode(flag)
            case .none: try container.encodeNil()
            }
        }

        var shown: String {
            switch self {
            case .text(let text): PrintableText.escaped(text)
            case .number(let number): String(number)
            case .thousandths(let number): TraceReport.milliseconds(number)
            case .flag(let flag): flag ? "yes" : "no"
            case .none: "-"
            }
        }
    }

    struct Table: Sendable {
        var name: String
        var columns: [String]
        var rows: [[Value]] = []
    }

    var fields: [(name: String, value: Value)] = []
    var tables: [Table] = []
    /// What could not be asked, for example because Redis is down.
    package internal(set) var warnings: [String] = []

    private struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Name.self)
        for field in fields { try container.encode(field.value, forKey: Name(stringValue: field.name)) }
        for table in tables {
            var rows = container.nestedUnkeyedContainer(forKey: Name(stringValue: table.name))
            for row in table.rows {
                var object = rows.nestedContainer(keyedBy: Name.self)
                for (column, value) in zip(table.columns, row) {
                    try object.encode(value, forKey: Name(stringValue: column))
                }
            }
        }
        try container.encode(warnings, forKey: Name(stringValue: "warnings"))
    }

    /// Fields one below the other, then each table with aligned columns.
    package func text() -> String {
        let width = fields.map(\.name.count).max() ?? 0
        var text = fields.map { "\(Self.padded($0.name, width))  \($0.value.shown)\n" }.joined()
        for table in tables {
            text += "\n\(table.name)\n"
            let cells = [table.columns] + table.rows.map { row in row.map(\.shown) }
            let widths = table.columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
            for row in cells {
                let line = zip(row, widths).map { Self.padded($0, $1) }.joined(separator: "  ")
                text += "  \(line.reversed().drop { $0 == " " }.reversed().map(String.init).joined())\n"
            }
            if table.rows.isEmpty { text += "  none\n" }
        }
        return text
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
