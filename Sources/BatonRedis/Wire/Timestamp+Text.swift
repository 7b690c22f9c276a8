import BatonCore

extension Timestamp {
    /// `2026-11-21T08:13:27.123Z`: always 24 characters, so that texts sort like times. Years 0 to 9999; what is
    /// beyond stands at the end of that range.
    var text: String {
        let last: Int64 = 253_402_300_799_999
        let first: Int64 = -62_167_219_200_000
        let time = min(max(milliseconds, first), last)
        let days = Int64((Double(time) / 86_400_000).rounded(.down))
        let rest = time - days * 86_400_000
        let (year, month, day) = Self.civil(days: days)
        let clock = rest / 1_000
        return "\(Self.digits(year, 4))-\(Self.digits(month, 2))-\(Self.digits(day, 2))"
            + "T\(Self.digits(clock / 3_600, 2)):\(Self.digits(clock / 60 % 60, 2)):\(Self.digits(clock % 60, 2))"
            + ".\(Self.digits(rest % 1_000, 3))Z"
    }

    /// - Returns: nil for anything but that form, and for days that no calendar has.
    init?(text: some Collection<UInt8>) {
        let bytes = Array(text)
        guard bytes.count == 24 else { return nil }
        for (index, mark) in [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"), (19, "."), (23, "Z")] {
            guard bytes[index] == mark.utf8.first else { return nil }
        }
        func number(_ range: Range<Int>, upTo limit: Int64) -> Int64? {
            var number: Int64 = 0
            for byte in bytes[range] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                number = number * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            return number <= limit ? number : nil
        }
        guard let year = number(0..<4, upTo: 9_999), let month = number(5..<7, upTo: 12),
            let day = number(8..<10, upTo: 31), let hour = number(11..<13, upTo: 23),
            let minute = number(14..<16, upTo: 59), let second = number(17..<19, upTo: 59),
            let millisecond = number(20..<23, upTo: 999), month > 0, day > 0
        else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        guard Self.civil(days: days) == (year, month, day) else { return nil }
        self.init(milliseconds: ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000 + millisecond)
    }

    private static func digits(_ number: Int64, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }

    /// The day of the Gregorian calendar, from days since 1970. Source:
    /// <https://howardhinnant.github.io/date_algorithms.html>, which also is where `days` comes from.
    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
