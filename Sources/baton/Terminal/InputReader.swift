import Foundation
import NIOPosix

/// Reads standard input without blocking a thread of the concurrency pool; one reader at a time.
///
/// A thread of its own waits for input and for being told to stop, since a read of a terminal cannot be cancelled.
final class InputReader: Sendable {
    private static let chunk = 4_096

    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let stopReading: FileHandle
    private let stopWriting: FileHandle

    init() {
        let pipe = Pipe()
        stopReading = pipe.fileHandleForReading
        stopWriting = pipe.fileHandleForWriting
        pool.start()
    }

    /// The next bytes; nil at the end of the input, or where the task is cancelled, which ends the reader.
    func next() async -> [UInt8]? {
        let stop = stopReading.fileDescriptor
        return await withTaskCancellationHandler {
            try? await pool.runIfActive { Self.wait(stop) }
        } onCancel: {
            try? stopWriting.close()
        }
    }

    func close() async {
        try? stopWriting.close()
        try? await pool.shutdownGracefully()
        try? stopReading.close()
    }

    private static func wait(_ stop: Int32) -> [UInt8]? {
        var waits = [
            pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            guard poll(&waits, 2, -1) >= 0 || errno == EINTR else { return nil }
            if waits[1].revents != 0 { return nil }
            guard waits[0].revents != 0 else { continue }
            var bytes = [UInt8](repeating: 0, count: chunk)
            let count = Foundation.read(STDIN_FILENO, &bytes, bytes.count)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            return count > 0 ? Array(bytes.prefix(count)) : nil
        }
    }
}
