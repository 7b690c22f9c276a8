import BatonCore

/// Short names for a trace: simulated ids are small numbers.
enum SimulationNames {
    static func short(_ user: UserID) -> String { "u\(user.rawValue)" }

    static func short(_ id: ConversationID) -> String {
        guard let pair = id.pair else { return "\(id)" }
        return "\(short(pair.0))-\(short(pair.1))"
    }

    static func short(_ id: MessageID) -> String { "\(short(id.conversation)).\(id.sequence)" }
}
