#if DEBUG
    /// Bugs that a debug build can switch on, to prove that the checkers find them. A release build contains none:
    /// each is inside `#if DEBUG`, and a test of the source tree checks this.
    public enum PlantedBug: String, CaseIterable, Sendable {
        /// A sender is told `accepted` before the commit.
        case ackBeforeCommit
        /// Hints are published before the commit.
        case publishBeforeCommit
        /// A retry is stored as another message.
        case forgetIdempotence
        /// A device's cursor moves when an event is written, not when it is acknowledged.
        case advanceCursorOnSend
        /// A connection that ends removes its device's session, even if a newer connection holds it.
        case deleteOthersSession
        /// From the seventeenth event of an inbox on, no hint is given and the sweep does not look for missed events.
        case dropHintAndSweep
        /// A message is reported as delivered when it is stored.
        case inventReceipts
        /// A conversation's next sequence comes from memory, though other processes may have written meanwhile.
        case sequenceOutsideLock
        /// A node overwrites the session of a newer connection, because it does not compare generations.
        case overwriteNewerSession
        /// A send that reached a node before it stood still is stored as a new message, whatever other nodes accepted
        /// meanwhile.
        case repeatAsNewAfterPause
        /// A connection stays, though a newer one of its device on another node has displaced it.
        case keepDisplaced
        /// Typing notices also go to strangers and to blocked users.
        case showTypingToStrangers
    }
#endif
