import BatonCore
import BatonStore
import Foundation
import Logging

#if canImport(Glibc)
    import Glibc
#endif

// Writes to a store until it is killed, and prints each ref on a line of its own once it is accepted:
//
//     store-writer write <path> <sender> <device> <recipient> <prefix> [retry]
//
// With `retry` it tries again what the store could not do; without, it ends with status 70 then.
//
// Or measures:
//
//     store-writer bench <path> <page bytes> <wal bytes> <messages> <batch>...

struct SystemClock: CivilClock {
    var now: Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
}

func write(_ arguments: [String]) throws {
    guard arguments.count >= 5, let sender = UserID(arguments[1]), let device = DeviceID(arguments[2]),
        let recipient = UserID(arguments[3])
    else { exit(64) }
    let logger = Logger(label: "store-writer", factory: { _ in SwiftLogNoOpLogHandler() })
    let store = try SQLiteStore.open(
        StoreSettings(path: arguments[0]), clock: SystemClock(), logger: logger)
    let room = DispatchSemaphore(value: 64)
    let retries = arguments.count > 5
    @Sendable func submit(_ request: SendRequest) {
        store.submit([.send(request)]) { outcomes in
            guard case .sent(let message)? = outcomes.first else {
                guard retries, case .failed? = outcomes.first else { exit(70) }
                return submit(request)
            }
            // One system call a line: what is printed was accepted, also when the kill comes now.
            let line = Array("\(request.ref) \(message.id.sequence)\n".utf8)
            guard Glibc.write(1, line, line.count) == line.count else { exit(0) }
            room.signal()
        }
    }
    for number in 0... {
        room.wait()
        let ref = "\(arguments[4])-\(number)"
        submit(
            SendRequest(
                sender: sender, device: device, ref: ref, target: .user(recipient), payload: Array(ref.utf8),
                at: SystemClock().now))
    }
}

func bench(_ arguments: [String]) async throws {
    guard arguments.count >= 5, let page = Int(arguments[1]), let wal = Int(arguments[2]),
        let messages = Int(arguments[3])
    else { exit(64) }
    var settings = StoreSettings(path: arguments[0])
    settings.pageBytes = page
    settings.walBytes = wal
    let store = try SQLiteStore.open(settings, clock: SystemClock(), logger: Logger(label: "bench"))
    let benchmark = StoreBenchmark(store: store, clock: SystemClock())
    try await benchmark.prepare()
    for batch in arguments[4...].compactMap({ Int($0) }) {
        let report = try await benchmark.measure(batch: batch, messages: messages)
        print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
    }
    await store.close()
}

let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "write": try write(Array(arguments.dropFirst()))
case "bench": try await bench(Array(arguments.dropFirst()))
default: exit(64)
}
