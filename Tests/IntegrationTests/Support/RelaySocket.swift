import BatonClient
import BatonProtocol
import BatonTestKit
import NIOCore
import SwiftProtobuf
import Testing

/// A device without an SDK: it acknowledges, resumes and reads only what a test tells it to.
struct RelaySocket: Sendable {
    /// The node closed the connection.
    struct Closed: Error { let code: UInt16? }

    let raw: RawConnection

    /// The WebSocket is open, nothing is said yet.
    static func open(_ address: RelayAddress, token: String) async throws -> RelaySocket {
        let raw = try await RawConnection.connect(
            to: try SocketAddress(ipAddress: address.host, port: address.port))
        try await raw.send(
            """
            GET /v1/ws HTTP/1.1\r
            Host: \(address.host):\(address.port)\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Version: 13\r
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
            Sec-WebSocket-Protocol: \(Subprotocol.proto.rawValue)\r
            Authorization: Bearer \(token)\r
            \r

            """)
        let answer = try await raw.head()
        try #require(answer.status == 101)
        return RelaySocket(raw: raw)
    }

    /// Opened and greeted.
    static func greet(
        _ address: RelayAddress, token: String, resume: WireResume? = nil
    ) async throws -> (RelaySocket, WireWelcome) {
        let socket = try await open(address, token: token)
        try await socket.send { frame in
            frame.hello = WireHello()
            if let resume { frame.hello.resume = resume }
        }
        while true {
            if case .welcome(let welcome) = try await socket.frame() { return (socket, welcome) }
        }
    }

    func send(_ fill: (inout WireClientFrame) -> Void) async throws {
        var frame = WireClientFrame()
        fill(&frame)
        try await raw.send(ClientFrames.binary(try FrameCodec.encode(frame, as: .proto)))
    }

    func send(_ text: String, ref: String, to user: String) async throws {
        try await send { frame in
            frame.send.ref = ref
            frame.send.user = user
            frame.send.content.text = text
        }
    }

    func acknowledge(_ sequence: UInt64) async throws { try await send { $0.ack.inboxSequence = sequence } }

    /// The next frame of the protocol.
    func frame() async throws -> WireServerFrame.OneOf_Frame {
        while true {
            let frame = try await raw.frame()
            switch frame.opcode {
            case 0x2:
                if let content = try FrameCodec.decodeServerFrame(frame.payload, as: .proto).frame { return content }
            case 0x8: throw Closed(code: frame.closeCode)
            case 0x9: try await raw.send(ClientFrames.pong(frame.payload))
            default: Issue.record("a frame of opcode \(frame.opcode)")
            }
        }
    }

    func event() async throws -> WireEvent {
        while true {
            if case .event(let event) = try await frame() { return event }
        }
    }

    func accepted() async throws -> WireAccepted {
        while true {
            switch try await frame() {
            case .accepted(let accepted): return accepted
            case .rejected(let rejected): try #require(Bool(false), "rejected: \(rejected.error.message)")
            default: continue
            }
        }
    }

    /// What became of a send.
    enum Answer {
        case accepted(WireAccepted)
        case rejected(WireRejected)
    }

    /// The next answer to a send.
    func answer() async throws -> Answer {
        while true {
            switch try await frame() {
            case .accepted(let accepted): return .accepted(accepted)
            case .rejected(let rejected): return .rejected(rejected)
            default: continue
            }
        }
    }

    func rejected() async throws -> WireRejected {
        while true {
            if case .rejected(let rejected) = try await frame() { return rejected }
        }
    }

    /// All frames until the node closes, and its code.
    func closeCode() async throws -> UInt16? {
        do {
            while true { _ = try await frame() }
        } catch let closed as Closed {
            return closed.code
        }
    }

    /// Whether the connection answers with nothing before the answer: no event is on its way.
    func isQuiet(_ nonce: String) async throws -> Bool {
        try await send { $0.ping.nonce = nonce }
        if case .pong(let pong) = try await frame() { return pong.nonce == nonce }
        return false
    }

    /// Whether the connection still answers, whatever comes before the answer.
    func answers(_ nonce: String) async throws -> Bool {
        try await send { $0.ping.nonce = nonce }
        while true {
            if case .pong(let pong) = try await frame() { return pong.nonce == nonce }
        }
    }

    func close() async throws { try await raw.close() }
}
