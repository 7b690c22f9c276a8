import Foundation
import Synchronization

/// A server that this program started, and stops: by its own handle, never by name.
final class ServerProcess: Sendable {
    let name: String
    let pid: Int32
    private let exit: Exit

    /// Whether and how it ended; set by the process' termination handler.
    private final class Exit: Sendable {
        struct State {
            var status: Int32?
            var waiters: [CheckedContinuation<Int32, Never>] = []
        }
        let state = Mutex(State())

        func ended(_ status: Int32) {
            let waiters = state.withLock { state in
                state.status = status
                let waiters = state.waiters
                state.waiters = []
                return waiters
            }
            for waiter in waiters { waiter.resume(returning: status) }
        }
    }

    /// Starts a program; what it says goes to the end of a file.
    init(
        _ name: String, executable: String, arguments: [String], environment: [String: String] = [:], log: String
    ) throws {
        self.name = name
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if !FileManager.default.fileExists(atPath: log) {
            _ = FileManager.default.createFile(atPath: log, contents: nil)
        }
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        try output.seekToEnd()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        let exit = Exit()
        self.exit = exit
        process.terminationHandler = { exit.ended($0.terminationStatus) }
        try Self.withAllSignals { try process.run() }
        try output.close()
        pid = process.processIdentifier
    }

    /// Threads of a pool block all signals, and a program inherits what the thread that starts it blocks: it would
    /// never hear of a SIGTERM.
    private static func withAllSignals(_ body: () throws -> Void) rethrows {
        var (none, before) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }

    var isRunning: Bool { exit.state.withLock { $0.status == nil } }

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

    /// Ends it at once and waits for that.
    func killNow() async {
        signal(SIGKILL)
        await ended()
    }
}
