import BatonHistory
import Foundation
import Glibc

/// How many descriptors another process may have, as prlimit(2) changes it while that runs.
struct DescriptorLimit: Sendable {
    /// Glibc's function, which the module that Swift imports leaves out.
    private typealias Change =
        @convention(c) (pid_t, Int32, UnsafePointer<rlimit>?, UnsafeMutablePointer<rlimit>?) -> Int32

    /// RLIMIT_NOFILE.
    private static let resource: Int32 = 7

    private let pid: Int32
    private let change: Change
    private let before: rlimit

    /// - Throws: where there is no such process, or it is not ours.
    init(of pid: Int32) throws(LocalCluster.Failure) {
        guard let symbol = dlsym(nil, "prlimit") else {
            throw LocalCluster.Failure(description: "this system has no prlimit")
        }
        change = unsafeBitCast(symbol, to: Change.self)
        self.pid = pid
        var limit = rlimit()
        guard change(pid, Self.resource, nil, &limit) == 0 else {
            throw LocalCluster.Failure(description: "the limits of process \(pid) cannot be read")
        }
        before = limit
    }

    /// No further descriptor: the kernel compares the number of a new one, and the first ones are taken.
    func exhaust() throws(LocalCluster.Failure) { try set(rlimit(rlim_cur: 3, rlim_max: before.rlim_max)) }

    func restore() throws(LocalCluster.Failure) { try set(before) }

    private func set(_ limit: rlimit) throws(LocalCluster.Failure) {
        var limit = limit
        // A process that has ended meanwhile needs no limit.
        guard change(pid, Self.resource, &limit, nil) == 0 || errno == ESRCH else {
            throw LocalCluster.Failure(description: "the limits of process \(pid) cannot be set")
        }
    }
}
