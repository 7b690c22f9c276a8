import BatonCore
import NIOCore

extension RedisStanding {
    /// Which functions Redis refuses, and since when.
    ///
    /// A function is refused from its first refusal on. It works again where it was carried out and nothing of it was refused
    /// for `refusalQuietSeconds`, so that what is now refused and now not makes no line each time; or where nothing of it was
    /// refused for `refusalMemorySeconds`: then nobody has asked.
    struct Machine {
        private struct Refused {
            var refusal: RedisRefusal
            let since: NIODeadline
            var last: NIODeadline
        }

        private var functions: [RedisFunction: Refused] = [:]

        var refused: [RedisFunction: RedisRefusal] { functions.mapValues(\.refusal) }

        var mask: UInt8 { functions.keys.reduce(0) { $0 | $1.bit } }

        mutating func failed(
            _ function: RedisFunction, _ refusal: RedisRefusal, text: String, now: NIODeadline
        ) -> [Change] {
            // What refuses every write refuses the others too, which may not be tried for a while.
            let concerned = refusal.concernsAllWrites && function.writes ? RedisFunction.writing : [function]
            var changes: [Change] = []
            for function in concerned {
                if functions[function] == nil {
                    functions[function] = Refused(refusal: refusal, since: now, last: now)
                    changes.append(.began(function, refusal, text: text))
                } else {
                    functions[function]?.refusal = refusal
                    functions[function]?.last = now
                }
            }
            return changes
        }

        /// It was carried out.
        mutating func worked(_ function: RedisFunction, now: NIODeadline) -> [Change] {
            guard let own = functions[function], isQuiet(own, now) else { return [] }
            let concerned =
                own.refusal.concernsAllWrites
                ? RedisFunction.writing.filter { functions[$0]?.refusal.concernsAllWrites == true } : [function]
            return end(concerned.filter { functions[$0].map { isQuiet($0, now) } == true }, now)
        }

        /// Once in a while.
        mutating func looked(now: NIODeadline) -> [Change] {
            let memory = TimeAmount.seconds(Limits.Redis.refusalMemorySeconds)
            return end(RedisFunction.allCases.filter { functions[$0].map { now - $0.last >= memory } == true }, now)
        }

        private func isQuiet(_ refused: Refused, _ now: NIODeadline) -> Bool {
            now - refused.last >= .seconds(Limits.Redis.refusalQuietSeconds)
        }

        private mutating func end(_ functions: [RedisFunction], _ now: NIODeadline) -> [Change] {
            functions.compactMap { function in
                self.functions.removeValue(forKey: function).map { .ended(function, after: now - $0.since) }
            }
        }
    }
}
