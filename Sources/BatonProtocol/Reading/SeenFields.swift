/// Which fields of a message stand there already: each may once, and of a choice (`oneof`) one.
struct SeenFields {
    /// One bit for each field, by its place in the message.
    private var names: UInt64 = 0
    private var chosen: UInt64 = 0

    /// - Returns: whether it was not there before.
    @inline(__always)
    mutating func insert(_ field: WireSchema.Field) -> Bool {
        let bit = Self.bit(field)
        guard names & bit == 0 else { return false }
        names |= bit
        return true
    }

    /// A field with a value.
    ///
    /// - Returns: another one of its choice that stands there already.
    @inline(__always)
    mutating func choose(
        _ field: WireSchema.Field, of message: Int, in schema: WireSchema
    ) -> WireSchema.Field? {
        guard let choice = field.choice else { return nil }
        defer { chosen |= Self.bit(field) }
        return chosen == 0 ? nil : other(of: choice, in: schema.fields[schema.messages[message].fields])
    }

    private func other(of choice: UInt8, in fields: ArraySlice<WireSchema.Field>) -> WireSchema.Field? {
        fields.first { chosen & Self.bit($0) != 0 && $0.choice == choice }
    }

    /// A message has at most 64 fields. A test says where the contract has one with more.
    @inline(__always)
    private static func bit(_ field: WireSchema.Field) -> UInt64 { 1 << (UInt64(field.place) & 63) }
}

extension WireSchema {
    /// What is wrong with a field beside another one of its choice.
    func beside(_ other: Field) -> String { "stands beside \(name(of: other)); only one of them is allowed" }
}
