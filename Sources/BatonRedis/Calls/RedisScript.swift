/// A Lua script with its arguments, and what its reply means. One file, one type and one test a script.
protocol RedisScript {
    associatedtype Outcome
    static var file: ScriptFile { get }
    /// What it is for.
    static var function: RedisFunction { get }
    /// Whether the function works where this script does.
    static var proves: Bool { get }
    /// All in one slot.
    var keys: [String] { get }
    var arguments: [String] { get }
    /// - Returns: nil for a reply that the script does not give.
    func outcome(of reply: RedisValue) -> Outcome?
}

/// The scripts' texts, from `Scripts/`.
package enum ScriptFile: Int, CaseIterable, Sendable {
    case writeSession
    case removeSession
    case removeDeadSessions
    case leavePresence
    case renewLease
    case releaseLease
    case releaseLock
    case takeTokens

    package var source: [UInt8] {
        switch self {
        case .writeSession: PackageResources.write_session_lua
        case .removeSession: PackageResources.remove_session_lua
        case .removeDeadSessions: PackageResources.remove_dead_sessions_lua
        case .leavePresence: PackageResources.leave_presence_lua
        case .renewLease: PackageResources.renew_lease_lua
        case .releaseLease: PackageResources.release_lease_lua
        case .releaseLock: PackageResources.release_lock_lua
        case .takeTokens: PackageResources.take_tokens_lua
        }
    }
}
