import BatonCore
import BatonEdge
import BatonGateway
import NIOCore
import NIOEmbedded
import NIOHTTP1

/// The bytes of a plain connection, through the parser and the checks behind it.
enum RequestHeadOracle: FuzzOracle {
    static let largest = Limits.Frame.requestHeadBytes - 1

    static func work(_ bytes: [UInt8]) {
        for head in Requests([bytes[...]]).heads { _ = try? CheckedRequest(head) }
    }

    static func judge(_ bytes: [UInt8]) throws(FuzzFinding) {
        let whole = Requests([bytes[...]])
        for pieces in Pieces.ways(to: bytes) {
            let other = Requests(pieces)
            // How much of the body comes in one piece is nobody's promise.
            try expect(other == whole, "in \(pieces.count) pieces it is \(other), in one \(whole)")
        }
        for head in whole.heads { try check(head) }
    }

    private static func check(_ head: HTTPRequestHead) throws(FuzzFinding) {
        let checked: CheckedRequest
        do throws(HandshakeRefusal) {
            checked = try CheckedRequest(head)
        } catch {
            return try check(error)
        }
        let head = checked.head
        try expect(head.uri.utf8.first == UInt8(ascii: "/"), "a target that is no path: \(head.uri)")
        try expect(head.headers["Host"].count == 1 || head.version != .http1_1, "hosts: \(head.headers["Host"])")
        for (name, value) in head.headers {
            try expect((name + value).utf8.allSatisfy { $0 < 0x80 }, "a field that is not ASCII: \(name): \(value)")
        }
        let isChunked = head.headers.contains(name: "Transfer-Encoding")
        try expect(!isChunked || head.version == .http1_1, "chunks of an old client")

        // What was taken is read as the same by the next hop, which is sent the same lines.
        guard let again = Requests([written(head)[...]]).heads.first else {
            throw FuzzFinding("a head that was taken cannot be read again: \(head)")
        }
        let twice = try? CheckedRequest(again)
        try expect(twice?.head.uri == head.uri, "the target \(head.uri) is read as \(twice?.head.uri ?? "nothing")")
        try expect(
            twice?.head.headers["Host"] == head.headers["Host"] && twice?.head.method == head.method,
            "the head is read as another one: \(head)")
        try checkHandshake(head)
    }

    private static func checkHandshake(_ head: HTTPRequestHead) throws(FuzzFinding) {
        let accepted: WebSocketHandshake.Accepted
        do throws(HandshakeRefusal) {
            accepted = try WebSocketHandshake.judge(head, policy: WebSocketHandshake.Policy())
        } catch {
            return try check(error)
        }
        try expect(accepted.token?.isEmpty == false && accepted.subprotocol != nil, "a handshake without a token")
    }

    private static func check(_ refusal: HandshakeRefusal) throws(FuzzFinding) {
        try expect((400..<600).contains(refusal.status.code), "a refusal with status \(refusal.status.code)")
        try WireErrorOracle.check(refusal.error)
        try expect(refusal.answer().body.readableBytes > 0, "a refusal without a body")
    }

    private static func written(_ head: HTTPRequestHead) -> [UInt8] {
        var text = "\(head.method.rawValue) \(head.uri) HTTP/\(head.version.major).\(head.version.minor)\r\n"
        for (name, value) in head.headers { text += "\(name): \(value)\r\n" }
        return Array((text + "\r\n").utf8)
    }
}

/// What the parser makes of a connection's bytes.
private struct Requests: Equatable {
    private(set) var heads: [HTTPRequestHead] = []
    private(set) var body: [UInt8] = []
    private(set) var ends = 0
    private(set) var isBroken = false

    init(_ pieces: [ArraySlice<UInt8>]) {
        let channel = EmbeddedChannel(handler: RequestDecoding.handler())
        channel.connect(to: FuzzAddress.peer, promise: nil)
        for piece in pieces where !isBroken {
            do {
                try channel.writeInbound(ByteBuffer(bytes: piece))
            } catch {
                isBroken = true
            }
        }
        while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head): heads.append(head)
            case .body(let bytes): body += bytes.readableBytesView
            case .end: ends += 1
            }
        }
        channel.close(promise: nil)
        channel.embeddedEventLoop.run()
    }
}
