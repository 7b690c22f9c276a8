import NIOCore
import Synchronization

/// Virtual time, and everything that is to happen in it, of all loops of a world: what is due first happens first, and
/// of one moment what was asked for first.
///
/// It is bounded. Where a schedule takes more steps than its bound, time stands still, and nothing happens any more.
final class SimulatedTime: Sendable {
    /// For something that may be taken back, or may never happen.
    final class Ticket: Sendable {
        private let isVoid = Atomic<Bool>(false)
        /// Tells whoever waits for it that it will not happen.
        fileprivate let onForgotten: @Sendable () -> Void

        init(onForgotten: @escaping @Sendable () -> Void) { self.onForgotten = onForgotten }

        func cancel() { isVoid.store(true, ordering: .relaxed) }

        fileprivate var isCancelled: Bool { isVoid.load(ordering: .relaxed) }
    }

    fileprivate struct Entry {
        let deadline: NIODeadline
        let number: UInt64
        let loop: SimulatedEventLoop
        let ticket: Ticket?
        let task: @Sendable () -> Void

        func isBefore(_ other: Entry) -> Bool {
            deadline == other.deadline ? number < other.number : deadline < other.deadline
        }
    }

    fileprivate struct State {
        var now = NIODeadline.uptimeNanoseconds(0)
        var entries: [Entry] = []
        var added: UInt64 = 0
        var steps = 0
        var bound: Int
    }

    private let state: Mutex<State>

    /// - Parameter steps: how many may be taken at most.
    init(steps: Int) { state = Mutex(State(bound: steps)) }

    var now: NIODeadline { state.withLock { $0.now } }

    /// Steps so far.
    var steps: Int { state.withLock { $0.steps } }

    /// The bound was reached, and there was more to do.
    var isExhausted: Bool { state.withLock { $0.isExhausted } }

    func add(
        at deadline: NIODeadline, on loop: SimulatedEventLoop, ticket: Ticket? = nil,
        _ task: @escaping @Sendable () -> Void
    ) {
        state.withLock { state in
            state.added += 1
            state.push(Entry(deadline: deadline, number: state.added, loop: loop, ticket: ticket, task: task))
        }
    }

    /// Lets time pass until a moment, and everything happen that is due by then.
    func pass(until moment: NIODeadline) {
        while let entry = state.withLock({ $0.next(until: moment) }) { entry.loop.run(entry.task) }
    }

    func pass(by amount: TimeAmount) { pass(until: now + amount) }

    /// Lets some more steps be taken, beyond the bound: what has broken is put away.
    func extend(by steps: Int) { state.withLock { $0.bound = $0.steps + steps } }

    /// Nothing that was to happen will.
    func forget() {
        while true {
            let entries = state.withLock { state in
                defer { state.entries = [] }
                return state.entries
            }
            guard !entries.isEmpty else { return }
            // Who hears of it may want something else to happen, and that will not either.
            for entry in entries where entry.ticket?.isCancelled == false { entry.ticket?.onForgotten() }
        }
    }
}

extension SimulatedTime.State {
    var isExhausted: Bool { steps >= bound && !entries.isEmpty }

    /// Takes out what is due next, and moves the clock to it; to the end where there is nothing.
    mutating func next(until moment: NIODeadline) -> SimulatedTime.Entry? {
        while let first = entries.first, first.deadline <= moment {
            if first.ticket?.isCancelled == true {
                removeFirst()
                continue
            }
            guard steps < bound else { return nil }
            steps += 1
            now = max(now, first.deadline)
            removeFirst()
            return first
        }
        now = max(now, moment)
        return nil
    }

    /// A binary heap: each is before the two at twice its place.
    mutating func push(_ entry: SimulatedTime.Entry) {
        entries.append(entry)
        var place = entries.count - 1
        while place > 0 {
            let parent = (place - 1) / 2
            guard entry.isBefore(entries[parent]) else { break }
            entries[place] = entries[parent]
            place = parent
        }
        entries[place] = entry
    }

    private mutating func removeFirst() {
        let last = entries.removeLast()
        guard !entries.isEmpty else { return }
        var place = 0
        while true {
            var child = 2 * place + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1].isBefore(entries[child]) { child += 1 }
            guard entries[child].isBefore(last) else { break }
            entries[place] = entries[child]
            place = child
        }
        entries[place] = last
    }
}
