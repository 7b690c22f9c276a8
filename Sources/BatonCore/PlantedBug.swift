#if DEBUG
    /// Bugs that a debug build can be told to have, to prove that the checkers find them. A release build has none of them:
    /// each stands inside of `#if DEBUG`, and a test of the source tree keeps it so.
    public enum PlantedBug: String, CaseIterable, Sendable {
        /// A sender is told `accepted` before the commit.
        case ackBeforeCommit
        /// Hints are published before the commit.
        case publishBeforeCommit
        /// A retry is stored as another message.
        case forgetIdempotence
        /// A device's cursor moves when an event is written, not when it is acknowledged.
        case advanceCursorOnSend
        /// A connection that ends removes its device's session, whoever holds it by then.
        case deleteOthersSession
        /// From an inbox's seventeenth event on no hint is given, and the sweep does not look for what was missed.
        case dropHintAndSweep
        /// A message is reported as delivered when it is stored.
        case inventReceipts
        /// A conversation's next sequence comes from memory, whatever other processes have written meanwhile.
        case sequenceOutsideLock
    }
#endif
