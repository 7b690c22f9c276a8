/// One line of the harness' own history (`cluster.jsonl`): what it did to the cluster, and what anybody could see of
/// it from outside, on the clock of the devices' histories.
///
/// The checker judges resources, recovery and readiness by it; the report draws it.
package struct ClusterRecord: Hashable, Sendable {
    /// Nanoseconds on the histories' clock.
    package let at: Int64
    package let event: Event

    package init(at: Int64, _ event: Event) {
        self.at = at
        self.event = event
    }

    package enum Event: Hashable, Sendable {
        /// What was asked of the run. The first line.
        case run(Run)
        /// A part of the run begins: `baseline`, `load`, `heal`, `settled`, `end`.
        case stage(Stage)
        /// Something is broken now. `target` is a node's name, `redis`, `store`, `clients` or `all`.
        case fault(number: Int, kind: String, target: String, what: String)
        /// What that fault broke is mended: the process is ready again, the network carries again.
        case healed(number: Int)
        /// A process did what it must not, of its own accord: it ended, or did not end or start when it was told to.
        case misbehaved(what: String)
        /// What a node showed.
        case node(NodeSample)
        /// What Redis showed.
        case redis(RedisSample)
    }

    /// Enough to make the run again, and to say whether it was one.
    package struct Run: Hashable, Sendable, Codable {
        package var seed: UInt64
        /// The command that makes the run again.
        package var command: String
        /// Messages that were to be sent.
        package var wanted: Int
        /// The date of the clock's zero, in seconds since 1970.
        package var began: Int64

        package init(seed: UInt64, command: String, wanted: Int, began: Int64) {
            self.seed = seed
            self.command = command
            self.wanted = wanted
            self.began = began
        }
    }

    package enum Stage: String, Codable, Sendable {
        /// All devices are connected and nothing is under way yet.
        case baseline
        case load
        case heal
        /// Everything arrived; as at `baseline`, nothing is under way.
        case settled
        case end
    }

    package enum Readiness: String, Codable, Sendable {
        case ready, degraded, unready
        /// No answer came in time.
        case unreachable
    }

    package struct NodeSample: Hashable, Sendable {
        package var node: String
        package var readiness: Readiness
        /// Why it is degraded or not ready, in its own words.
        package var reasons: [String]
        /// nil, as what follows, where the node could not be asked.
        package var connections: Int?
        package var residentKiB: Int?
        package var descriptors: Int?

        package init(
            node: String, readiness: Readiness, reasons: [String] = [], connections: Int? = nil,
            residentKiB: Int? = nil, descriptors: Int? = nil
        ) {
            self.node = node
            self.readiness = readiness
            self.reasons = reasons
            self.connections = connections
            self.residentKiB = residentKiB
            self.descriptors = descriptors
        }
    }

    package struct RedisSample: Hashable, Sendable {
        /// Fields of all `session:` hashes; nil, as what follows, where Redis did not answer.
        package var sessions: Int?
        /// Channels with a subscriber.
        package var channels: Int?
        package var memoryKiB: Int?

        package init(sessions: Int? = nil, channels: Int? = nil, memoryKiB: Int? = nil) {
            self.sessions = sessions
            self.channels = channels
            self.memoryKiB = memoryKiB
        }
    }
}

extension ClusterRecord: Codable {
    private enum Key: String, CodingKey {
        case at, event, stage, number, kind, target, what, node, readiness, reasons, connections
        case residentKiB = "resident_kib"
        case descriptors, sessions, channels, run
        case memoryKiB = "memory_kib"
    }

    private enum Kind: String, Codable {
        case run, stage, fault, healed, misbehaved, node, redis
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        at = try fields.decode(Int64.self, forKey: .at)
        guard at >= 0 else {
            throw DecodingError.dataCorruptedError(forKey: .at, in: fields, debugDescription: "a time before the run")
        }
        func optional(_ key: Key) throws -> Int? { try fields.decodeIfPresent(Int.self, forKey: key) }
        switch try fields.decode(Kind.self, forKey: .event) {
        case .run: event = .run(try fields.decode(Run.self, forKey: .run))
        case .stage: event = .stage(try fields.decode(Stage.self, forKey: .stage))
        case .fault:
            event = .fault(
                number: try fields.decode(Int.self, forKey: .number),
                kind: try fields.decode(String.self, forKey: .kind),
                target: try fields.decode(String.self, forKey: .target),
                what: try fields.decode(String.self, forKey: .what))
        case .healed: event = .healed(number: try fields.decode(Int.self, forKey: .number))
        case .misbehaved: event = .misbehaved(what: try fields.decode(String.self, forKey: .what))
        case .node:
            event = .node(
                NodeSample(
                    node: try fields.decode(String.self, forKey: .node),
                    readiness: try fields.decode(Readiness.self, forKey: .readiness),
                    reasons: try fields.decodeIfPresent([String].self, forKey: .reasons) ?? [],
                    connections: try optional(.connections), residentKiB: try optional(.residentKiB),
                    descriptors: try optional(.descriptors)))
        case .redis:
            event = .redis(
                RedisSample(
                    sessions: try optional(.sessions), channels: try optional(.channels),
                    memoryKiB: try optional(.memoryKiB)))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(at, forKey: .at)
        switch event {
        case .run(let run):
            try fields.encode(Kind.run, forKey: .event)
            try fields.encode(run, forKey: .run)
        case .stage(let stage):
            try fields.encode(Kind.stage, forKey: .event)
            try fields.encode(stage, forKey: .stage)
        case .fault(let number, let kind, let target, let what):
            try fields.encode(Kind.fault, forKey: .event)
            try fields.encode(number, forKey: .number)
            try fields.encode(kind, forKey: .kind)
            try fields.encode(target, forKey: .target)
            try fields.encode(what, forKey: .what)
        case .healed(let number):
            try fields.encode(Kind.healed, forKey: .event)
            try fields.encode(number, forKey: .number)
        case .misbehaved(let what):
            try fields.encode(Kind.misbehaved, forKey: .event)
            try fields.encode(what, forKey: .what)
        case .node(let sample):
            try fields.encode(Kind.node, forKey: .event)
            try fields.encode(sample.node, forKey: .node)
            try fields.encode(sample.readiness, forKey: .readiness)
            if !sample.reasons.isEmpty { try fields.encode(sample.reasons, forKey: .reasons) }
            try fields.encodeIfPresent(sample.connections, forKey: .connections)
            try fields.encodeIfPresent(sample.residentKiB, forKey: .residentKiB)
            try fields.encodeIfPresent(sample.descriptors, forKey: .descriptors)
        case .redis(let sample):
            try fields.encode(Kind.redis, forKey: .event)
            try fields.encodeIfPresent(sample.sessions, forKey: .sessions)
            try fields.encodeIfPresent(sample.channels, forKey: .channels)
            try fields.encodeIfPresent(sample.memoryKiB, forKey: .memoryKiB)
        }
    }
}
