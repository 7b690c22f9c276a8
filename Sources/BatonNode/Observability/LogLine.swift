import BatonCore
import Logging

/// One event of the log as one line: for people, or as one JSON object. Nothing that a client sends can forge a line or
/// move a terminal's cursor: see `PrintableText`.
struct LogLine {
    var seconds: Int
    var microseconds: Int
    var level: Logger.Level
    var label: String
    var message: String
    var metadata: Logger.Metadata
    var error: String?

    /// `2026-01-31T08:30:00.123456Z info node: node ready port=8080`
    func text() -> String {
        var line = "\(timestamp) \(level.rawValue) \(label): \(Self.escaped(message))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line += " \(Self.escaped(key))=\(Self.quotedWhereNeeded("\(value)"))"
        }
        if let error { line += " error=\(Self.quotedWhereNeeded(error))" }
        return line + "\n"
    }

    /// Metadata stands beside the other fields; a key that is one of theirs gets an underscore.
    func json() -> String {
        var line =
            "{\"time\":\"\(timestamp)\",\"level\":\"\(level.rawValue)\",\"label\":\(Self.json(label))"
            + ",\"message\":\(Self.json(message))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            let name = Self.fields.contains(key) ? key + "_" : key
            line += ",\(Self.json(name)):\(Self.json(value))"
        }
        if let error { line += ",\"error\":\(Self.json(error))" }
        return line + "}\n"
    }

    private static let fields: Set<String> = ["time", "level", "label", "message", "error"]

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): json(text)
        case .stringConvertible(let value):
            if value is any FixedWidthInteger || value is Bool { "\(value)" } else { json("\(value)") }
        case .array(let values): "[\(values.map(json).joined(separator: ","))]"
        case .dictionary(let values):
            "{"
                + values.sorted { $0.key < $1.key }.map { "\(json($0.key)):\(json($0.value))" }.joined(separator: ",")
                + "}"
        @unknown default: json("\(value)")
        }
    }

    private static func json(_ text: String) -> String { "\"\(escaped(text, quotes: true))\"" }

    private static func quotedWhereNeeded(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "\"" && $0 != "=" }
        return isPlain ? escaped(text) : "\"\(escaped(text, quotes: true))\""
    }

    private static func escaped(_ text: String, quotes: Bool = false) -> String {
        guard quotes else { return PrintableText.escaped(text) }
        var quoted = ""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { quoted += "\\" }
            quoted.unicodeScalars.append(scalar)
        }
        return PrintableText.escaped(quoted)
    }

    /// RFC 3339, UTC. By hand: a formatter would cost more than the rest of the line.
    private var timestamp: String {
        let (days, daySeconds) = seconds.flooredDivision(by: 86_400)
        let (year, month, day) = Self.civil(days: days)
        return "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))T"
            + "\(Self.padded(daySeconds / 3_600, 2)):\(Self.padded(daySeconds / 60 % 60, 2)):"
            + "\(Self.padded(daySeconds % 60, 2)).\(Self.padded(microseconds, 6))Z"
    }

    /// The date of a day since 1970 in the proleptic Gregorian calendar, counted in years that begin in March, so that
    /// the leap day is the last of its year.
    private static func civil(days: Int) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = (days + 719_468).flooredDivision(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}

extension Int {
    fileprivate func flooredDivision(by divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
