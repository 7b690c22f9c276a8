import BatonHistory
import Foundation
import Glibc
import Synchronization

/// A server that this program started, and stops: by its own handle, never by name.
///
/// Foundation's `Process` is not used: off the main thread its waiting spins, and its children hold on to each other's
/// ends. Here a thread of its own waits for the child, which ends with it.
final class ServerProcess: Sendable {
    let name: String
    let pid: Int32
    private let exit: Exit

    /// Whether and how it ended; set by the thread that waits for it.
    private final class Exit: Sendable {
        struct State {
            var status: Int32?
            var waiters: [CheckedContinuation<Int32, Never>] = []
            /// Of those who wait for some time only.
            var watchers: [AsyncStream<Never>.Continuation] = []
        }
        let state = Mutex(State())

        func ended(_ status: Int32) {
            let (waiters, watchers) = state.withLock { state in
                state.status = status
                defer { (state.waiters, state.watchers) = ([], []) }
                return (state.waiters, state.watchers)
            }
            for watcher in watchers { watcher.finish() }
            for waiter in waiters { waiter.resume(returning: status) }
        }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Starts a program; what it says goes to the end of a file.
    init(
        _ name: String, executable: String, arguments: [String], environment: [String: String] = [:], log: String
    ) throws {
        self.name = name
        pid = try Self.spawn(
            executable, arguments, ProcessInfo.processInfo.environment.merging(environment) { $1 }, log)
        let exit = Exit()
        self.exit = exit
        let child = pid
        let thread = Thread {
            var status: Int32 = 0
            while waitpid(child, &status, 0) < 0, errno == EINTR {}
            // As a shell tells it: the exit code, or 128 and the signal.
            exit.ended(status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f))
        }
        thread.stackSize = 128 * 1024
        thread.start()
    }

    private static func spawn(
        _ executable: String, _ arguments: [String], _ environment: [String: String], _ log: String
    ) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // The child gets these three and nothing that is open here: a pipe's end that it kept would never close.
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            if let descriptor = Int32(entry), descriptor > 2 {
                posix_spawn_file_actions_addclose(&actions, descriptor)
            }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // What this program ignores or blocks must not be ignored by a server that is to end on SIGTERM. A group of
        // its own keeps the terminal's Ctrl-C from it: the one who started it stops it.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

        var words = ([executable] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer {
            for word in words + variables { free(word) }
        }
        var pid: pid_t = 0
        let error = posix_spawn(&pid, executable, &actions, &attributes, &words, &variables)
        guard error == 0 else {
            throw Failure(description: "\(executable) could not be started: \(String(cString: strerror(error)))")
        }
        return pid
    }

    var isRunning: Bool { status == nil }

    /// How it ended: the exit code, or 128 and the signal; nil while it runs.
    var status: Int32? { exit.state.withLock { $0.status } }

    /// Sends a signal, unless it has ended: its number may be another's by then.
    func signal(_ number: Int32) {
        exit.state.withLock { state in
            if state.status == nil { kill(pid, number) }
        }
    }

    /// Its exit status, when it has ended.
    @discardableResult
    func ended() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status = exit.state.withLock { state -> Int32? in
                if state.status == nil { state.waiters.append(continuation) }
                return state.status
            }
            if let status { continuation.resume(returning: status) }
        }
    }

    /// Whether it ends within some time.
    func ends(within limit: Duration) async -> Bool {
        let (stream, watcher) = AsyncStream.makeStream(of: Never.self)
        let hasEnded = exit.state.withLock { state in
            if state.status == nil { state.watchers.append(watcher) }
            return state.status != nil
        }
        guard !hasEnded else { return true }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in stream {} }
            group.addTask { try? await ContinuousClock().sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
        return !isRunning
    }

    /// Ends it at once and waits for that.
    func killNow() async {
        signal(SIGKILL)
        await ended()
    }
}
