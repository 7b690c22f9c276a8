import BatonCore
import BatonProtocol
import Foundation
import SwiftProtobuf
import Testing

/// What the article says is held against the contract and the catalogues, so that neither changes without the other.
@Suite("The article about the protocol")
struct ProtocolArticleTests {
    private let article: Article
    private let contract: Contract

    init() throws {
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/BatonProtocol")
        article = Article(
            try String(contentsOf: sources.appendingPathComponent("BatonProtocol.docc/Protocol.md"), encoding: .utf8))
        contract = Contract(
            try String(contentsOf: sources.appendingPathComponent("relay.proto"), encoding: .utf8))
    }

    @Test("Each kind of frame has a section that names its fields and shows it", arguments: Direction.allCases)
    func frames(direction: Direction) throws {
        let kinds = try #require(contract.fields[direction.message])
        #expect(kinds.count >= 7)
        for kind in kinds {
            let section = try #require(
                article.section(kind.name, under: direction.heading), "\(kind.name) has no section")
            for field in contract.fields[kind.type] ?? [] {
                #expect(section.contains("`\(field.name)`"), "\(kind.name) does not name \(field.name)")
            }
            let examples = try Article.examples(in: section)
            #expect(!examples.isEmpty, "\(kind.name) has no example")
            for example in examples {
                #expect(example.direction == direction)
                #expect(try example.kind() == kind.name, "an example of \(kind.name) shows another frame")
            }
        }
    }

    @Test("Each kind of event has a row, and a number and a name of the contract")
    func events() throws {
        func word(_ isSo: Bool) -> String { isSo ? "yes" : "no" }
        let section = try #require(article.section("event", under: Direction.fromNode.heading))
        let rows = section.split(separator: "\n").filter { $0.hasPrefix("|") }.dropFirst(2).map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let kinds = EventKind.allCases
        #expect(
            rows
                == kinds.map { kind in
                    [
                        "`\(kind.name)`", "\(kind.rawValue)", word(kind.countsAsUnread), word(kind.wakesDevice),
                        word(kind.isSuperseded),
                    ]
                })
        let event = try #require(WireSchema.shared.index(of: WireEvent.protoMessageName))
        let fields = WireSchema.shared.messages[event].fields.map { WireSchema.shared.fields[$0] }
            .filter { $0.choice != nil }
        #expect(fields.map(\.number) == kinds.map(\.rawValue))
        #expect(fields.map { WireSchema.shared.name(of: $0) } == kinds.map(\.name))
    }

    @Test("Each line of JSON is a frame, and nothing is lost when it is read and written again")
    func examples() throws {
        let examples = try Article.examples(in: article.text)
        #expect(examples.count > 40)
        for example in examples {
            let again = try JSONSerialization.jsonObject(with: Data(try example.recoded())) as? NSDictionary
            let printed = try JSONSerialization.jsonObject(with: Data(example.json.utf8)) as? NSDictionary
            #expect(again == printed, "\(example.json)")
        }
    }

    @Test("The transcript's acknowledgements are of events that it shows, and its answers of refs that were sent")
    func transcript() throws {
        let start = try #require(article.text.range(of: "\n## A transcript\n"))
        var refs: Set<String> = []
        var last: UInt64 = 0
        for example in try Article.examples(in: String(article.text[start.upperBound...])) {
            switch try example.decoded() {
            case .client(.send(let send)): refs.insert(send.ref)
            case .client(.ack(let ack)): #expect(ack.inboxSequence == last || ack.inboxSequence == 99)
            case .server(.event(let event)):
                #expect(event.inboxSequence == last + 1)
                last = event.inboxSequence
            case .server(.accepted(let accepted)): #expect(refs.contains(accepted.ref))
            case .server(.rejected(let rejected)): #expect(refs.contains(rejected.ref))
            default: break
            }
        }
        #expect(last == 4)
    }

    @Test("Each error has a row with its status and whether it may be tried again")
    func errors() throws {
        let rows = article.rows(under: "Errors")
        #expect(rows.map { $0[0] } == ErrorCode.allCases.map { "`\($0.rawValue)`" })
        for (row, code) in zip(rows, ErrorCode.allCases) {
            #expect(row[1] == "\(code.httpStatus)", "\(code)")
            #expect(row[2] == (code.isRetryable ? "yes" : "no"), "\(code)")
            #expect(!row[3].isEmpty && !row[4].isEmpty)
        }
    }

    @Test("What wrong frames are answered with is of the catalogue")
    func wrongFrames() {
        let rows = article.rows(under: "Wrong frames")
        #expect(rows.count >= 8)
        for row in rows {
            let codes = row[1].split(separator: ", ").map { $0.trimmingCharacters(in: ["`"]) }
            for code in codes { #expect(ErrorCode(rawValue: code) != nil, "\(code)") }
        }
    }

    @Test("Each close code has a row with its name and whether to connect again")
    func closeCodes() throws {
        let rows = article.rows(under: "Close codes")
        #expect(rows.map { $0[0] } == CloseCode.allCases.map { "\($0.rawValue)" })
        for (row, code) in zip(rows, CloseCode.allCases) {
            #expect(row[1] == "`\(code)`")
            #expect(row[2] == (code.shouldReconnect ? "yes" : "no"), "\(code)")
        }
    }

    @Test("Errors in its examples are of the catalogue, with the right word about trying again")
    func exampleErrors() throws {
        for example in try Article.examples(in: article.text) {
            let error: WireError
            switch try example.decoded() {
            case .server(.error(let found)): error = found
            case .server(.rejected(let rejected)): error = rejected.error
            default: continue
            }
            let code = try #require(ErrorCode(rawValue: error.code), "\(example.json)")
            #expect(error.retryable == code.isRetryable)
        }
    }

    @Test("Its numbers are the limits")
    func numbers() {
        let kibibyte = 1_024
        let sentences = [
            "at most \(Limits.Connection.windowEvents) events or \(Limits.Connection.windowBytes / kibibyte / kibibyte) MiB",
            "ping after \(Limits.Connection.pingSeconds) s", "4005 after \(Limits.Connection.silenceSeconds) s",
            "within \(Limits.Connection.handshakeSeconds) s. A wrong frame", "\(Limits.Message.refDays) days",
            "none is acknowledged for\n   \(Limits.Connection.stalledReaderSeconds) s",
            "ends by itself after \(Limits.Presence.typingSeconds) s", "more than \(Limits.Store.idleDeviceDays) days",
            "At most \(Limits.Connection.controlFramesPerSecond) control frames",
            "| \(Limits.Frame.messageBytes / kibibyte) KiB, \(Limits.Frame.fragments) fragments |",
            "| content of a message | \(Limits.Message.contentBytes / kibibyte) KiB |",
            "| \(Limits.Connection.sendsInFlight) | the node reads on",
            "| 1,\(Limits.Sending.messagesPerMinute - 1_000) and \(Limits.Sending.bytesPerMinute / kibibyte / kibibyte) MiB at once",
            "begins | \(Limits.Sending.conversationsPerHour) at once",
            "wrote back | \(Limits.Sending.strangerMessagesPerHour) at once",
            "| \(Limits.Connection.ephemeralPerSecond) a second |",
            "| wrong frames of a connection | \(Limits.Connection.wrongFrames) |",
            "The \(Limits.Connection.wrongFrames + 1)th `error` closes",
            "deeper than \(Limits.Frame.nesting) levels", "groups in protobuf | \(Limits.Frame.nesting) levels |",
            "Up to \(Limits.Connection.heldFrames) frames or \(Limits.Connection.heldBytes / kibibyte) KiB wait",
            "`welcome` | \(Limits.Connection.heldFrames), \(Limits.Connection.heldBytes / kibibyte) KiB |",
            "| \(Limits.Connection.writeBufferBytes / kibibyte / kibibyte) MiB | the socket is closed |",
            "| devices of a user | \(Limits.Account.devicesPerUser) |",
            "instead of those it named before; at most \(Limits.Connection.watchedUsers).",
            "1 to \(Limits.Message.refBytes) bytes",
            "calls itself, at most \(Limits.Connection.clientNameLength) bytes",
        ]
        for sentence in sentences {
            #expect(article.text.contains(sentence), "\(sentence)")
        }
    }
}

/// Which of the two contracts a frame is of.
enum Direction: CaseIterable {
    case fromClient, fromNode

    var message: String { self == .fromClient ? "ClientFrame" : "ServerFrame" }
    var heading: String { self == .fromClient ? "What a client sends" : "What a node sends" }
}

/// `relay.proto` as text: of each message its fields, with the names that JSON has.
struct Contract {
    struct Field {
        let type: String
        let name: String
    }

    private(set) var fields: [String: [Field]] = [:]

    init(_ text: String) {
        var message = ""
        for line in text.split(separator: "\n") {
            if let start = line.firstMatch(of: #/^message (\w+) \{/#) {
                message = String(start.output.1)
            } else if let field = line.firstMatch(of: #/^ +(?:repeated |optional )?(\w+) (\w+) = \d+;/#) {
                fields[message, default: []].append(
                    Field(type: String(field.output.1), name: Self.camelCase(field.output.2)))
            }
        }
    }

    private static func camelCase(_ name: Substring) -> String {
        let words = name.split(separator: "_")
        return words.prefix(1).joined() + words.dropFirst().map(\.capitalized).joined()
    }
}

/// The article's parts.
struct Article {
    let text: String

    init(_ text: String) { self.text = text }

    /// A section of the third level, from its heading to the next.
    func section(_ name: String, under heading: String) -> String? {
        chapter(heading).components(separatedBy: "\n### ").dropFirst()
            .first { $0.hasPrefix("`\(name)`") }
    }

    /// The cells of the table under a heading, without its head.
    func rows(under heading: String) -> [[String]] {
        chapter(heading).split(separator: "\n").filter { $0.hasPrefix("|") }.dropFirst(2).map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    private func chapter(_ heading: String) -> String {
        text.components(separatedBy: "\n## ").first { $0.hasPrefix(heading + "\n") } ?? ""
    }

    /// The lines of all blocks of JSON.
    static func examples(in text: String) throws -> [Example] {
        var examples: [Example] = []
        var isInside = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isInside = line == "```json"
            } else if isInside {
                let direction: Direction = line.hasPrefix("    ") ? .fromNode : .fromClient
                examples.append(Example(direction: direction, json: line.trimmingCharacters(in: .whitespaces)))
            }
        }
        return examples
    }
}

/// A line of JSON of the article.
struct Example {
    enum Frame {
        case client(WireClientFrame.OneOf_Frame)
        case server(WireServerFrame.OneOf_Frame)
    }

    let direction: Direction
    let json: String

    /// What it decodes to. The client's unknown frame of the transcript is read as what it is: wrong.
    func decoded() throws -> Frame? {
        switch direction {
        case .fromClient:
            do throws(FrameError) {
                return .client(try FrameCodec.decode(Array(json.utf8), as: .json))
            } catch {
                #expect(error.error.code == ErrorCode.unknownFrame.rawValue, "\(json): \(error)")
                return nil
            }
        case .fromNode:
            let frame = try FrameCodec.decodeServerFrame(Array(json.utf8), as: .json).frame
            return .server(try #require(frame, "\(json)"))
        }
    }

    /// Read and written again, in the encoding of the article.
    func recoded() throws -> [UInt8] {
        switch try decoded() {
        case .client(let frame):
            var message = WireClientFrame()
            message.frame = frame
            return try FrameCodec.encode(message, as: .json)
        case .server(let frame):
            var message = WireServerFrame()
            message.frame = frame
            return try FrameCodec.encode(message, as: .json)
        case nil: return Array(json.utf8)
        }
    }

    /// The name of the kind of frame.
    func kind() throws -> String? {
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        return object?.keys.first
    }
}
