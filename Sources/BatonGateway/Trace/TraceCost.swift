import BatonCore
import Glibc
import NIOCore

/// What tracing costs on this host: a message's whole life is written, again and again, to a ring in a file, as the loops
/// of its nodes do it, clocks and hashes included.
package enum TraceCost {
    /// Records of a message that goes to one device by a hint, acknowledged and stored. A commit's own record, which many
    /// messages share, counts in full.
    package static let recordsOfMessage = 7

    /// Nanoseconds of CPU for a message, the middle one of several rounds.
    package static func nanosecondsPerMessage(
        events: Int = Limits.Trace.events, rounds: Int = 9, messages: Int = 200_000, in folder: String
    ) throws(TraceFileError) -> Double {
        guard let node = NodeID("cost") else { return 0 }
        let ring = try TraceRing(events: events, header: TraceHeader(node: node, incarnation: 1, loop: 0), in: folder)
        var costs: [Double] = []
        for _ in 0..<max(1, rounds) {
            let began = threadNanoseconds()
            for number in 0..<max(1, messages) { writeLife(UInt64(number), to: ring) }
            costs.append(Double(threadNanoseconds() - began) / Double(max(1, messages)))
        }
        return costs.sorted()[costs.count / 2]
    }

    private static let ref = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"

    @inline(never)
    private static func writeLife(_ number: UInt64, to ring: TraceRing) {
        let (user, device) = (UserID(rawValue: number | 1), DeviceID(rawValue: number &+ 7))
        let message = MessageID(
            conversation: ConversationID(high: 1, low: number | 2), sequence: ConversationSequence(rawValue: number + 1)
        )
        for kind in [TraceRecord.Kind.received, .accepted] {
            var record = TraceRecord(kind, at: now(), user: user, device: device, place: RefHash.of(ref))
            if kind == .accepted { record.message = message }
            ring.record(record)
        }
        var committed = TraceRecord(.committed, at: now())
        committed.number = UInt32(truncatingIfNeeded: number)
        ring.record(committed)
        let began = now()
        var published = TraceRecord(.published, at: began, user: user, device: device, place: number)
        published.small = UInt16(clamping: (now() &- began) / 1_000)
        published.message = message
        ring.record(published)
        for kind in [TraceRecord.Kind.written, .acknowledged, .stored] {
            ring.record(TraceRecord(kind, at: now(), user: user, device: device, place: number))
        }
    }

    private static func now() -> UInt64 { NIODeadline.now().uptimeNanoseconds }

    private static func threadNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
