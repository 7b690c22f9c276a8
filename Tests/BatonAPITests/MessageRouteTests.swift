import BatonAPI
import BatonCore
import BatonProtocol
import BatonTestKit
import Foundation
import HTTPTypes
import Testing

@Suite("Messages by REST")
struct MessageRouteTests {
    private static let user = UserID(rawValue: 77)
    private static let group = "g-0000000000001"

    private func key(_ value: String) throws -> HTTPFields {
        [try #require(HTTPField.Name("Idempotency-Key")): value]
    }

    @Test("A message is sent as by the WebSocket: the key is the ref, the path says to whom, the body is the content")
    func send() async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        var accepted = WireAccepted()
        accepted.ref = "k 1"
        accepted.id = "\(Self.group).7"
        accepted.sequence = 7
        api.messages.set(.success(accepted))
        let text = #"{"text":"\ud842\udfb7\u91ce","media_type":"text/plain"}"#
        let first = try await api.send(
            .post, "/v1/conversations/\(Self.group)/messages", Array(text.utf8), token: alice.accessToken,
            headers: try key("k 1"))
        #expect(first.status == 201)
        #expect(try first.decoded(as: WireAccepted.self) == accepted)
        let second = try await api.send(
            .post, "/v1/users/\(Self.user)/messages", Array(#"{"data":"AAEC"}"#.utf8), token: alice.accessToken,
            headers: try key("k2"))
        #expect(second.status == 201)

        let sent = api.messages.submitted
        #expect(sent.map(\.send.ref) == ["k 1", "k2"])
        #expect(sent.map(\.send.to) == [.conversation(Self.group), .user("\(Self.user)")])
        #expect(sent[0].send.content.text == "\u{20BB7}\u{91CE}" && sent[0].send.content.mediaType == "text/plain")
        #expect(sent[1].send.content.data == Data([0, 1, 2]))
        #expect(Set(sent.map(\.sender.user.description)) == [alice.user])
        #expect(Set(sent.map(\.sender.device.description)) == [alice.device])
    }

    @Test(
        "What the relay rejects has the error of the WebSocket and the status of its code",
        arguments: [
            (ErrorCode.blocked, 403), (.unknownConversation, 404), (.unknownUser, 404), (.refReused, 409),
            (.tooLarge, 413), (.rateLimited, 429), (.storageFull, 507), (.storeUnavailable, 503),
            (.deviceRevoked, 401),
        ])
    func rejected(code: ErrorCode, status: Int) async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        api.messages.set(.failure(FrameError(code, "why", field: "ref", retryAfterMilliseconds: 1_500)))
        let answer = try await api.send(
            .post, "/v1/users/\(Self.user)/messages", Array(#"{"text":"x"}"#.utf8), token: alice.accessToken,
            headers: try key("k"))
        #expect(answer.status == status && answer.code == code && answer.error?.message == "why")
        #expect(answer.headers[.retryAfter] == "2")
    }

    @Test("Without one key of 1 to 64 bytes, an id and a body of JSON nothing is sent")
    func malformed() async throws {
        let api = try await APIHarness()
        let token = try await api.member("alice").accessToken
        let (path, body) = ("/v1/users/\(Self.user)/messages", Array(#"{"text":"x"}"#.utf8))
        let none = try await api.send(.post, path, body, token: token)
        #expect(none.code == .missingField && none.error?.field == "Idempotency-Key")
        let longest = String(repeating: "k", count: Limits.Message.refBytes)
        #expect(try await api.send(.post, path, body, token: token, headers: try key(longest)).status == 201)
        for value in ["", longest + "k"] {
            let answer = try await api.send(.post, path, body, token: token, headers: try key(value))
            #expect(answer.code == .invalidField && answer.error?.field == "Idempotency-Key", "\(value)")
        }
        var two = try key("a")
        two.append(HTTPField(name: two[two.startIndex].name, value: "b"))
        #expect(try await api.send(.post, path, body, token: token, headers: two).code == .invalidField)

        let wrongUser = try await api.send(.post, "/v1/users/x/messages", body, token: token, headers: try key("k"))
        #expect(wrongUser.code == .unknownUser)
        let wrongConversation = try await api.send(
            .post, "/v1/conversations/x/messages", body, token: token, headers: try key("k"))
        #expect(wrongConversation.code == .unknownConversation)
        for wrong in ["", "[]", #"{"text":"\ud842"}"#, #"{"text":1}"#, #"{"text":"a","data":"AA=="}"#] {
            let answer = try await api.send(.post, path, Array(wrong.utf8), token: token, headers: try key("k"))
            #expect(answer.code == .malformedFrame, "\(wrong)")
        }
        #expect(api.messages.submitted.count == 1)
    }
}
