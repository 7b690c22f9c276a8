import BatonCore
import Foundation

/// Times in words, for people.
enum ChatTime {
    /// "just now", "2 min ago", "3 h ago", "5 days ago".
    static func ago(_ time: Timestamp, now: Timestamp) -> String {
        let (distance, overflow) = now.milliseconds.subtractingReportingOverflow(time.milliseconds)
        guard !overflow else { return "long ago" }
        let seconds = distance / 1_000
        switch seconds {
        case ..<60: return "just now"
        case ..<3_600: return "\(seconds / 60) min ago"
        case ..<86_400: return "\(seconds / 3_600) h ago"
        case ..<172_800: return "yesterday"
        default: return "\(seconds / 86_400) days ago"
        }
    }

    /// `14:05`, in the zone given.
    static func clock(_ time: Timestamp, in zone: TimeZone) -> String {
        let parts = calendar(zone).dateComponents([.hour, .minute], from: date(time))
        return "\(twoDigits(parts.hour)):\(twoDigits(parts.minute))"
    }

    /// `2026-11-21`, in the zone given.
    static func day(_ time: Timestamp, in zone: TimeZone) -> String {
        let parts = calendar(zone).dateComponents([.year, .month, .day], from: date(time))
        return "\(parts.year ?? 0)-\(twoDigits(parts.month))-\(twoDigits(parts.day))"
    }

    private static func calendar(_ zone: TimeZone) -> Calendar {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        return calendar
    }

    /// A clock that is centuries off must not trap: the range of four-digit years will do.
    private static func date(_ time: Timestamp) -> Date {
        let milliseconds = min(max(time.milliseconds, 0), 253_402_300_799_000)
        return Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
    }

    private static func twoDigits(_ number: Int?) -> String {
        let text = String(number ?? 0)
        return text.count < 2 ? "0" + text : text
    }
}
