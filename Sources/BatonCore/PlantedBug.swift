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
        /// A session is written over a newer connection's, as by a node that stood still and compares nothing.
        case overwriteNewerSession
        /// A send that reached a node before it stood still is stored as a new message, whatever other nodes accepted
        /// meanwhile.
        case repeatAsNewAfterPause
        /// A connection stays, though a newer one of its device on another node has displaced it.
        case keepDisplaced
        /// That somebody types is shown to strangers, too, and to those who are blocked.
        case showTypingToStrangers
    }
#endif
