import BatonCore
import Foundation

/// How many files and sockets this process may have open.
enum OpenFiles {
    /// Raises the limit as far as that is allowed. Most systems start programs with 1,024, for select(2), which nothing
    /// here uses.
    ///
    /// - Returns: the limit; zero where it is not known.
    static func raiseLimit() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return 0 }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        guard setrlimit(resource, &raised) == 0 else { return Int(clamping: limit.rlim_cur) }
        return Int(clamping: raised.rlim_cur)
    }

    /// As many connections as are wanted, but not so many that clients take the last descriptors: without any left the
    /// store cannot open its files, and libdispatch, which looks at its threads through /proc, ends the process.
    static func connections(wanted: Int, limit: Int) -> Int {
        guard limit > 0 else { return wanted }
        return min(wanted, max(1, limit - min(Limits.Node.ownDescriptors, limit / 2)))
    }
}
