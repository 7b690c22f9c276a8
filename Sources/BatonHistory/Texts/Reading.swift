/// Numbers as people read them.
package enum Reading {
    /// `12,345`.
    package static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result += "," }
            result.append(digit)
        }
        return value < 0 ? "-\(result)" : result
    }

    /// Few digits, with `k` and `M`: for axes and tooltips.
    package static func short(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        let size = abs(value)
        if size >= 1e6 { return decimals(value / 1e6) + "M" }
        if size >= 10_000 { return decimals(value / 1e3) + "k" }
        return decimals(value)
    }

    /// Nanoseconds in the unit that fits them.
    package static func duration(_ nanoseconds: Int64) -> String { milliseconds(Double(nanoseconds) / 1e6) }

    package static func milliseconds(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        if value == 0 { return "0" }
        if value < 999.5 { return "\(decimals(value)) ms" }
        if value < 119_950 { return "\(decimals(value / 1e3)) s" }
        let seconds = Int(min(value / 1e3, 1e12).rounded())
        let (large, small) =
            seconds < 3_600
            ? ("\(seconds / 60) min", seconds % 60 == 0 ? "" : " \(seconds % 60) s")
            : ("\(count(seconds / 3_600)) h", seconds % 3_600 < 60 ? "" : " \(seconds % 3_600 / 60) min")
        return large + small
    }

    /// A moment of a run, as `1:05` or `2:00:00`, before its zero with a minus.
    package static func moment(_ nanoseconds: Int64, tenths: Bool = false) -> String {
        let all = (Double(nanoseconds) / 1e8).rounded()
        let total = Int(tenths ? all : (Double(nanoseconds) / 1e9).rounded() * 10)
        let (seconds, tenth) = (abs(total) / 10, abs(total) % 10)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let clock =
            seconds >= 3_600
            ? "\(seconds / 3_600):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
            : "\(seconds / 60):\(two(seconds % 60))"
        return (total < 0 ? "-" : "") + clock + (tenths ? ".\(tenth)" : "")
    }

    /// Three digits that count, no zeros behind the point.
    private static func decimals(_ value: Double) -> String {
        let places = abs(value) >= 99.95 ? 0 : abs(value) >= 9.995 ? 1 : 2
        let scale = [1.0, 10, 100][places]
        let scaled = Int((value * scale).rounded())
        guard places > 0 else { return "\(scaled)" }
        let unit = Int(scale)
        var fraction = String(abs(scaled) % unit)
        while fraction.count < places { fraction = "0" + fraction }
        while fraction.hasSuffix("0") { fraction.removeLast() }
        let sign = scaled < 0 ? "-" : ""
        return "\(sign)\(abs(scaled) / unit)" + (fraction.isEmpty ? "" : ".\(fraction)")
    }
}
