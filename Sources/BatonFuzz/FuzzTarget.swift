import BatonCore

/// What is fuzzed: a place where bytes from outside are read, and what must hold there for all bytes there are.
///
/// ops/fuzz runs each under libFuzzer, which looks for inputs that reach code no input has reached before. The inputs in
/// `Tests/BatonFuzzTests/Corpora` are run as a unit test too.
///
/// That nothing traps is the least of it. Each target compares: what is written is read as the same, two ways to read agree, and
/// bytes mean the same in whatever pieces they come.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// A client's bytes behind the handshake.
    case websocket
    /// A client's text message, in whatever fragments.
    case text
    /// What a client says in a connection, one frame after another.
    case connection
    /// A client's frames in JSON.
    case json
    /// A client's frames in protobuf.
    case protobuf
    /// The bodies of REST. The first byte chooses which.
    case body
    /// The bytes of a plain connection: the heads of its requests.
    case head
    /// What other nodes publish, or somebody who may write to Redis.
    case bus
    /// What Redis replies.
    case redis
    /// The histories that `baton chaos check` reads.
    case history

    /// Bytes of an input, at most.
    package var bytes: Int { 4_096 }

    private var oracle: any FuzzOracle.Type {
        switch self {
        case .websocket: WebSocketOracle.self
        case .text: TextMessageOracle.self
        case .connection: ConnectionOracle.self
        case .json: JSONFrameOracle.self
        case .protobuf: ProtobufFrameOracle.self
        case .body: RequestBodyOracle.self
        case .head: RequestHeadOracle.self
        case .bus: BusOracle.self
        case .redis: RedisOracle.self
        case .history: HistoryOracle.self
        }
    }

    /// Does with the bytes what production does, and compares.
    ///
    /// - Throws: what does not hold.
    package func run(_ bytes: [UInt8]) throws(FuzzFinding) {
        try oracle.judge(bytes)
    }

    /// Of so many inputs, one is measured: that takes longer than all else.
    private static let measured: UInt64 = 32

    /// Measures the work that a part of the input causes when it comes again and again. A debug build is too slow for it.
    ///
    /// - Throws: where that is more than linear in its size.
    package func measure(_ bytes: [UInt8]) throws(FuzzFinding) {
        // By the input and not by a count, so that a finding is found again.
        guard FNV1a.hash(bytes) % Self.measured == 0,
            let repeated = RepeatedInput(bytes, upTo: oracle.largest)
        else { return }
        try WorkBound().check(repeated.bytes, oracle.work)
    }
}

/// What a target does with an input.
protocol FuzzOracle {
    /// Bytes of the largest input that production reads.
    static var largest: Int { get }

    /// What production does with the bytes, and nothing else.
    static func work(_ bytes: [UInt8])

    /// - Throws: what does not hold.
    static func judge(_ bytes: [UInt8]) throws(FuzzFinding)
}

/// What does not hold for an input.
package struct FuzzFinding: Error, Hashable, Sendable, CustomStringConvertible {
    /// Printable, whatever the input was.
    package let description: String

    init(_ description: String) {
        self.description = String(description.unicodeScalars.map { $0.escaped(asASCII: true) }.joined())
    }
}

/// - Throws: a finding where the condition is false.
func expect(_ condition: Bool, _ description: @autoclosure () -> String) throws(FuzzFinding) {
    guard condition else { throw FuzzFinding(description()) }
}
