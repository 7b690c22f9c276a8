public import Foundation
import Glibc

extension Process {
    /// Waits until the process has ended.
    ///
    /// `waitUntilExit` waits for the end of a socket that every process started meanwhile inherits: with several
    /// servers at once it may spin until the others end, which may wait for it. This asks the kernel, and leaves the
    /// child to be reaped by Foundation.
    ///
    /// - Returns: the exit code, or the signal that ended it.
    @discardableResult
    public func ended() -> Int32 {
        var info = siginfo_t()
        while waitid(P_PID, id_t(processIdentifier), &info, WEXITED | WNOWAIT) != 0 {
            guard errno == EINTR else {
                // Reaped already, so Foundation knows.
                waitUntilExit()
                return terminationStatus
            }
        }
        return info._sifields._sigchld.si_status
    }

    /// The same for those who must not hold a thread of the pool: a thread of its own waits.
    public func end() async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: self.ended()) }
        }
    }
}
