/// Why Redis refuses: what it says in words, for operators and programs. The only place that reads them.
package enum RedisRefusal: String, CaseIterable, Hashable, Sendable {
    /// Its user may not use the command, the key or the channel.
    case noPermission = "no_permission"
    /// It wants a password, and there is none in `redis.url`.
    case noPassword = "no_password"
    case wrongPassword = "wrong_password"
    /// It is a replica.
    case readOnly = "read_only"
    /// It is full (`maxmemory`), and evicts nothing.
    case outOfMemory = "out_of_memory"
    /// It reads its file after a start.
    case loading
    /// It could not write its file, and was told to refuse writes then.
    case snapshotFailed = "snapshot_failed"
    /// A replica whose primary is away.
    case primaryDown = "primary_down"
    /// It has fewer replicas than it wants.
    case noReplicas = "no_replicas"
    /// It is held up by somebody's script.
    case busy
    /// It is one of a Redis Cluster, which is not supported.
    case cluster
    /// It has as many clients as it may have.
    case tooManyClients = "too_many_clients"
    /// It is too old for a command or an option, or has renamed it.
    case unknownCommand = "unknown_command"
    /// Something else stands under a name of ours.
    case wrongType = "wrong_type"
    case other

    /// - Returns: nil where it did not answer, which is no refusal.
    init?(_ error: RedisError) {
        guard case .refused(let text) = error else { return nil }
        self.init(text: text)
    }

    init(text: String) {
        switch text.prefix(while: { $0 != " " }) {
        case "NOPERM": self = .noPermission
        case "NOAUTH": self = .noPassword
        case "WRONGPASS": self = .wrongPassword
        case "READONLY": self = .readOnly
        case "OOM": self = .outOfMemory
        case "LOADING": self = .loading
        case "MISCONF": self = .snapshotFailed
        case "MASTERDOWN": self = .primaryDown
        case "NOREPLICAS": self = .noReplicas
        case "BUSY", "UNKILLABLE": self = .busy
        case "CLUSTERDOWN", "MOVED", "ASK", "CROSSSLOT", "TRYAGAIN": self = .cluster
        case "WRONGTYPE": self = .wrongType
        case "ERR": self = Self.general.first { text.contains($0.words) }?.refusal ?? .other
        // A script's error may stand behind the script's own words.
        default: self = Self.inScripts.first { text.contains($0.words) }?.refusal ?? .other
        }
    }

    private static let general: [(words: String, refusal: RedisRefusal)] =
        [
            ("unknown command", .unknownCommand), ("unknown subcommand", .unknownCommand),
            ("Unknown subcommand", .unknownCommand),
            ("wrong number of arguments", .unknownCommand), ("syntax error", .unknownCommand),
            ("max number of clients", .tooManyClients), ("invalid password", .wrongPassword),
            ("without any password configured", .wrongPassword), ("DB index is out of range", .unknownCommand),
            ("cluster", .cluster),
        ] + inScripts

    private static let inScripts: [(words: String, refusal: RedisRefusal)] = [
        ("-READONLY", .readOnly), ("-OOM", .outOfMemory), ("OOM command not allowed", .outOfMemory),
        ("-MISCONF", .snapshotFailed), ("-NOREPLICAS", .noReplicas), ("-WRONGTYPE", .wrongType),
        ("can't run this command or subcommand", .noPermission), ("The user executing the script", .noPermission),
        ("No permissions", .noPermission),
    ]

    /// It refuses every write for this reason, whatever for.
    var concernsAllWrites: Bool {
        switch self {
        case .readOnly, .outOfMemory, .loading, .snapshotFailed, .primaryDown, .noReplicas, .busy: true
        case .noPermission, .noPassword, .wrongPassword, .cluster, .tooManyClients, .unknownCommand, .wrongType, .other:
            false
        }
    }
}
