/// What is wrong with bytes that should be a message: where, and what would be right.
package struct WireFault: Error, Hashable, Sendable {
    /// The field, from the outermost message inwards: `send.content.data`. Empty where it is about the whole.
    package fileprivate(set) var field: String
    /// What came and what is allowed, to be read after the field's name.
    private let text: String

    init(_ text: String, field: String = "") {
        self.field = field
        self.text = text
    }

    /// For people.
    package var message: String { field.isEmpty ? text : "\(field) \(text)" }

    /// The same, seen from the message around it.
    func within(_ outer: String) -> WireFault {
        WireFault(text, field: field.isEmpty ? outer : "\(outer).\(field)")
    }

    /// The same, seen from within the outermost field: a frame's errors name a field of what it holds.
    var withinFrame: WireFault {
        guard let point = field.firstIndex(of: ".") else { return self }
        return WireFault(text, field: String(field[field.index(after: point)...]))
    }
}
