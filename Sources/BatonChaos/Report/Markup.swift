import BatonCore

/// Text as it stands in HTML and SVG. Names, reasons and lines of histories are anybody's: none of them becomes markup.
enum Markup {
    /// - Parameter limit: characters that are shown; what is longer ends with an ellipsis.
    static func text(_ text: String, limit: Int = 300) -> String {
        var result = ""
        for scalar in visible(text, limit: limit).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// As people may be shown it, with its line breaks.
    static func visible(_ text: String, limit: Int = 300) -> String {
        PrintableText.escaped(text.count > limit ? text.prefix(limit) + "…" : text, keepingLines: true)
    }

    /// A number of a drawing: one decimal is a tenth of a point.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        let tenths = (value * 10).rounded()
        guard abs(tenths) < 1e9 else { return tenths < 0 ? "-99999999" : "99999999" }
        let whole = Int(tenths)
        return whole % 10 == 0 ? "\(whole / 10)" : "\(whole < 0 ? "-" : "")\(abs(whole) / 10).\(abs(whole) % 10)"
    }

    /// An element of SVG without content; attributes as they are to stand there.
    static func element(_ name: String, _ attributes: KeyValuePairs<String, String>, title: String? = nil) -> String {
        let words = attributes.map { " \($0)=\"\($1)\"" }.joined()
        guard let title else { return "<\(name)\(words)/>" }
        return "<\(name)\(words)><title>\(text(title, limit: 1_200))</title></\(name)>"
    }

    /// Text of a drawing.
    static func label(_ text: String, x: Double, y: Double, _ classes: String, limit: Int = 60) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" class=\"\(classes)\">\(Self.text(text, limit: limit))</text>"
    }
}
