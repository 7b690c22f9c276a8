import BatonAPI
import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import BatonNode

@Suite("The proof of the admin token")
struct AdminProofTests {
    private static let token = AdminToken(AdminHarness.token)!

    private func challenge(_ harness: AdminHarness) async throws -> String {
        let answer = try await harness.get(AdminProof.path)
        #expect(answer.status == 200 && answer.headers[.cacheControl] == "no-store")
        return try JSONDecoder().decode(AdminProof.Challenge.self, from: Data(answer.text.utf8)).challenge
    }

    private func ask(
        _ harness: AdminHarness, _ challenge: String, by token: AdminToken = token, method: String = "GET",
        path: String = "/admin/status", address: String = "n1.example:8081", to host: String? = "n1.example:8081"
    ) async throws -> Int {
        let proof = token.proof(
            of: AdminProof.Request(method: method, path: path, address: address, challenge: challenge))
        return try await harness.ask(.get, "/admin/status", [.authorization: proof], host: host).status
    }

    @Test(
        "Who has the token is let in without sending it, at each of the node's addresses",
        arguments: [
            "n1.example:8081", "N1.Example:8081", "127.0.0.1:8081", "localhost:8081", "[::1]:8081", "0.0.0.0:8081",
        ])
    func opens(address: String) async throws {
        let harness = try await AdminHarness()
        #expect(try await ask(harness, try await challenge(harness), address: address, to: address) == 200)
        let proof = Self.token.proof(
            of: AdminProof.Request(method: "GET", path: "/admin/status", address: address, challenge: "c"))
        #expect(!proof.contains(AdminHarness.token))
    }

    @Test("A proof is of one token, method, path and address; a node takes none that is for another's")
    func refuses() async throws {
        let harness = try await AdminHarness()
        let challenge = try await challenge(harness)
        let other = try #require(AdminToken(String(repeating: "u", count: 43)))
        #expect(try await ask(harness, challenge, by: other) == 401)
        #expect(try await ask(harness, challenge, method: "POST") == 401)
        #expect(try await ask(harness, challenge, path: "/admin/cluster") == 401)
        #expect(try await ask(harness, challenge, address: "evil:1") == 401)
        // What was sent to somebody else, passed on as it was.
        #expect(try await ask(harness, challenge, address: "evil:1", to: "evil:1") == 401)
        #expect(try await ask(harness, challenge, to: nil) == 401)
        #expect(Set(harness.refusals) == ["admin_invalid"])
        for text in ["baton", "baton x", "baton x y z", "baton \(challenge)", "baton \(challenge) "] {
            #expect(try await harness.get("/admin/status", [.authorization: text]).status == 401)
        }
        #expect(try await ask(harness, challenge) == 200)
    }

    @Test("A challenge is good for so long, is another's nowhere, and its end costs no attempt")
    func age() async throws {
        let harness = try await AdminHarness()
        let challenge = try await challenge(harness)
        harness.time.advance(by: .seconds(AdminProof.challengeSeconds))
        #expect(try await ask(harness, challenge) == 200)
        harness.time.advance(by: .milliseconds(1))
        for _ in 0...AdminGate.attempts.capacity { #expect(try await ask(harness, challenge) == 401) }
        #expect(harness.refusals.isEmpty)
        let another = try await AdminHarness()
        #expect(try await ask(another, try await self.challenge(harness)) == 401)
        for junk in [
            "", ".", "0", "0.x", "-1.x", "99999999999999999999.x", "9223372036854775807.x", "-9223372036854775808.x",
        ] {
            #expect(!AdminChallenges().isGood(junk))
        }
    }

    @Test("Wrong proofs count as wrong tokens do")
    func attempts() async throws {
        let harness = try await AdminHarness()
        let challenge = try await challenge(harness)
        let other = try #require(AdminToken(String(repeating: "u", count: 43)))
        for _ in 0..<AdminGate.attempts.capacity { #expect(try await ask(harness, challenge, by: other) == 401) }
        #expect(try await ask(harness, challenge, by: other) == 429)
        #expect(try await ask(harness, challenge) == 200)
    }

    @Test("Who stands at the address of a forged lease gets nothing of the token, and nothing that opens a node")
    func forgedLease() async throws {
        let harness = try await AdminHarness()
        let heard = Mutex<[HTTPRequestHead]>([])
        let challenge = try await challenge(harness)
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        Impostor(challenge: challenge) { head in heard.withLock { $0.append(head) } })
                }
            }.bind(host: "127.0.0.1", port: 0).get()
        let client = AdminClient(token: Self.token, on: MultiThreadedEventLoopGroup.singleton)
        let address = "127.0.0.1:\(server.localAddress?.port ?? 0)"
        for _ in 0..<2 {
            await #expect(throws: AdminClientError.wrongToken) {
                try await client.get("/admin/status", of: address, within: .seconds(5))
            }
        }
        await client.close()
        try await server.close()
        let requests = heard.withLock { $0 }
        // It asks for a challenge, and for another where the first was refused.
        #expect(
            requests.map(\.uri) == [
                AdminProof.path, "/admin/status", "/admin/status", AdminProof.path, "/admin/status",
            ])
        for request in requests {
            #expect(!"\(request.headers)".contains(AdminHarness.token))
            var headers = HTTPFields()
            headers[.authorization] = request.headers.first(name: "Authorization")
            for host in [address, "n1.example:8081", "127.0.0.1:8081"] {
                #expect(try await harness.ask(.get, "/admin/status", headers, host: host).status != 200)
            }
        }
    }
}

/// Answers as a node would, with a challenge that it got from a node.
private final class Impostor: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let challenge: String
    private let hear: (HTTPRequestHead) -> Void
    private var uri = ""

    init(challenge: String, hear: @escaping (HTTPRequestHead) -> Void) {
        self.challenge = challenge
        self.hear = hear
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            uri = head.uri
            hear(head)
        case .body: break
        case .end:
            let isChallenge = uri == AdminProof.path
            let body = ByteBuffer(string: isChallenge ? #"{"challenge":"\#(challenge)"}"# : "")
            let head = HTTPResponseHead(
                version: .http1_1, status: isChallenge ? .ok : .unauthorized,
                headers: ["content-length": "\(body.readableBytes)"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
