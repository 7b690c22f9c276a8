import BatonCore
import Foundation

/// How many files and sockets this process may have open.
package enum OpenFiles {
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

    /// Who may have how many descriptors.
    package struct Shares: Hashable {
        /// WebSockets.
        package var sockets: Int
        /// Connections of plain requests, and those that are taken beyond for what is reserved.
        package var plain: Int
        var reserve = Limits.Node.reservedConnections

        /// All that the node needs to give them, its own included.
        package var descriptors: Int { sockets + plain + reserve + Limits.Node.ownDescriptors }
    }

    /// As many connections as are wanted, but not so many that clients take the last descriptors: without any left the
    /// store cannot open its files, and libdispatch, which looks at its threads through /proc, ends the process. Where
    /// they are few, plain requests get a quarter and WebSockets the rest.
    package static func shares(wanted: Shares, limit: Int) -> Shares {
        guard limit > 0 else { return wanted }
        let clients = max(3, limit - min(Limits.Node.ownDescriptors, limit / 2))
        var shares = wanted
        shares.reserve = min(wanted.reserve, max(1, clients / 8))
        shares.plain = min(wanted.plain, max(1, clients / 4 - shares.reserve))
        shares.sockets = min(wanted.sockets, max(1, clients - shares.plain - shares.reserve))
        return shares
    }
}
