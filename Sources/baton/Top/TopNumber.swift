import Foundation

/// Numbers as a person reads them in a narrow column. Nothing known is a dash.
enum TopNumber {
    static let unknown = "-"

    static func count(_ value: Double?) -> String {
        guard let value, value.isFinite else { return unknown }
        switch abs(value) {
        case 1_000_000...: return format(value / 1_000_000, digits: 1) + "M"
        case 10_000...: return format(value / 1_000, digits: 1) + "k"
        case 100...: return format(value, digits: 0)
        default: return value == value.rounded() ? format(value, digits: 0) : format(value, digits: 1)
        }
    }

    static func count(_ value: Int) -> String { count(Double(value)) }

    static func seconds(_ value: Double?) -> String {
        guard let value, value.isFinite else { return unknown }
        let milliseconds = value * 1_000
        switch milliseconds {
        case 1_000...: return format(value, digits: value < 10 ? 1 : 0) + "s"
        case 100...: return format(milliseconds, digits: 0) + "ms"
        case 1...: return format(milliseconds, digits: 1) + "ms"
        case 0: return "0"
        default: return format(milliseconds * 1_000, digits: 0) + "us"
        }
    }

    static func bytes(_ value: Int) -> String {
        var (amount, unit) = (Double(value), 0)
        let units = ["B", "K", "M", "G", "T"]
        while amount >= 1_024, unit < units.count - 1 {
            amount /= 1_024
            unit += 1
        }
        return format(amount, digits: unit == 0 || amount >= 100 ? 0 : 1) + units[unit]
    }

    static func share(_ value: Double?) -> String {
        guard let value, value.isFinite else { return unknown }
        return format(value * 100, digits: 0) + "%"
    }

    static func time(_ seconds: Double) -> String {
        guard let whole = Int(exactly: seconds.rounded(.towardZero)) else { return unknown }
        switch whole {
        case 86_400...: return "\(whole / 86_400)d\(whole / 3_600 % 24)h"
        case 3_600...: return "\(whole / 3_600)h\(whole / 60 % 60)m"
        case 60...: return "\(whole / 60)m\(whole % 60)s"
        default: return "\(whole)s"
        }
    }

    /// Like `String(format:)`, which takes a C string's way round.
    private static func format(_ value: Double, digits: Int) -> String {
        value.formatted(.number.precision(.fractionLength(digits)).grouping(.never).locale(Locale(identifier: "en_US")))
    }
}
