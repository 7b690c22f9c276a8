/// Keeps at most one acknowledgement of a connection under way to the store; those that come meanwhile become one.
public struct AcknowledgementPipeline: Hashable, Sendable {
    private var isUnderWay = false
    private var waiting: InboxSequence?

    public init() {}

    /// - Returns: the position to store now, nil while another is under way.
    public mutating func acknowledged(_ position: InboxSequence) -> InboxSequence? {
        if isUnderWay {
            waiting = max(waiting ?? .zero, position)
            return nil
        }
        isUnderWay = true
        return position
    }

    /// The store is done with the one under way.
    ///
    /// - Returns: the next position to store, if there is one.
    public mutating func stored() -> InboxSequence? {
        guard let next = waiting else {
            isUnderWay = false
            return nil
        }
        waiting = nil
        return next
    }
}
