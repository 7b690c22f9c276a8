import BatonAPI
import BatonCore
import BatonProtocol
import BatonTestKit
import Foundation
import HTTPTypes
import SwiftProtobuf
import Testing

@Suite("The article about REST")
struct ArticleTests {
    private struct Transcript {
        let command: String
        let status: Int
        let body: String
    }

    private static func article() throws -> String {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/BatonAPI/BatonAPI.docc/REST.md")
        return try String(contentsOf: path, encoding: .utf8)
    }

    /// Each `$ curl` of the article with the answer printed below it.
    private static func transcripts() throws -> [Transcript] {
        var transcripts: [Transcript] = []
        let lines = try article().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for (index, line) in lines.enumerated() where line.hasPrefix("$ curl ") {
            let status = try #require(Int(lines[index + 1].split(separator: " ")[1]))
            let body = lines[index + 2].hasPrefix("{") ? lines[index + 2] : ""
            transcripts.append(Transcript(command: line, status: status, body: body))
        }
        return transcripts
    }

    /// Carries a curl command out, as far as the article uses its options.
    private static func run(_ command: String, _ variables: [String: String], on api: APIHarness) async throws
        -> APIHarness.Answer
    {
        var command = command
        for (name, value) in variables { command = command.replacingOccurrences(of: "$\(name)", with: value) }
        #expect(command.dropFirst().contains("$") == false, "a variable is left: \(command)")
        let url = try #require(command.firstMatch(of: #/http://localhost:8080([^\s"]*)/#)?.output.1)
        var body: String?
        if let single = command.firstMatch(of: #/-d '([^']*)'/#) {
            body = String(single.output.1)
        } else if let double = command.firstMatch(of: #/-d "((?:[^"\\]|\\.)*)"/#) {
            body = double.output.1.replacingOccurrences(of: "\\\"", with: "\"")
        }
        var method = body == nil ? HTTPRequest.Method.get : .post
        if let name = command.firstMatch(of: #/-X ([A-Z]+)/#) {
            method = try #require(HTTPRequest.Method(String(name.output.1)))
        }
        let token = command.firstMatch(of: #/Bearer ([^"]+)"/#).map { String($0.output.1) }
        let isJSON = command.contains("Content-Type: application/json")
        #expect(isJSON == (body != nil))
        var headers = HTTPFields()
        if let key = command.firstMatch(of: #/-H 'Idempotency-Key: ([^']+)'/#)?.output.1 {
            headers[try #require(HTTPField.Name("Idempotency-Key"))] = String(key)
        }
        return try await api.send(
            method, String(url), body.map { Array($0.utf8) }, token: token, headers: headers)
    }

    /// The names in a JSON value, with their nesting: what must be the same where ids and times differ.
    private static func shape(_ value: Any) -> String {
        switch value {
        case let object as [String: Any]:
            "{" + object.keys.sorted().map { "\($0):\(shape(object[$0] ?? ""))" }.joined(separator: ",") + "}"
        case let list as [Any]: "[" + list.map(shape).joined(separator: ",") + "]"
        case is String: "string"
        default: "other"
        }
    }

    @Test("Its transcripts are what the API does")
    func transcripts() async throws {
        let api = try await APIHarness()
        let bob = try await api.member("bob")
        api.presence.set([try bob.userID: .online])
        // What the relay makes of it, integration tests compare.
        let accepted = AcceptedMessage(
            id: MessageID(
                conversation: try #require(ConversationID(between: try bob.userID, and: UserID(rawValue: 1))),
                sequence: ConversationSequence(rawValue: 3)), at: api.clock.now, isRepeat: false, events: [])
        api.messages.set(.success(WireAccepted(accepted, ref: "order-4711")))
        var variables = ["BOB": bob.user]
        let transcripts = try Self.transcripts()
        #expect(transcripts.count == 18)
        for transcript in transcripts {
            let answer = try await Self.run(transcript.command, variables, on: api)
            #expect(answer.status == transcript.status, "\(transcript.command)\n\(answer.text)")
            if let tokens = try? answer.decoded(as: WireTokens.self), !tokens.accessToken.isEmpty {
                variables["TOKEN"] = tokens.accessToken
                variables["REFRESH"] = tokens.refreshToken
                if variables["CONVERSATION"] == nil {
                    variables["CONVERSATION"] = try converse(api, from: bob, to: tokens)
                }
            }
            guard !transcript.body.isEmpty else {
                #expect(answer.body.isEmpty)
                continue
            }
            let printed = try JSONSerialization.jsonObject(with: Data(transcript.body.utf8))
            let real = try JSONSerialization.jsonObject(with: Data(answer.body))
            #expect(Self.shape(printed) == Self.shape(real), "\(transcript.command)\n\(answer.text)")
            if let error = answer.error, answer.status >= 400 {
                #expect(try WireErrorResponse(jsonUTF8Bytes: Array(transcript.body.utf8)).error == error)
            }
        }
    }

    private func converse(_ api: APIHarness, from sender: WireTokens, to other: WireTokens) throws -> String {
        let id = try #require(ConversationID(between: sender.userID, and: other.userID))
        // Both have written, so that the two see each other.
        api.conversations.send([], from: try other.userID, to: try sender.userID, at: api.clock.now)
        for number in 1...2 {
            var content = WireContent()
            content.text = "message \(number)"
            let payload = try EventFrame.payload(
                conversation: id, sender: sender.userID, device: sender.deviceID, ref: "\(number)", content: content)
            api.conversations.send(
                payload, from: try sender.userID, to: try other.userID, at: api.clock.now)
        }
        return id.description
    }

    @Test("Its table of requests is the route table, and says which are open to everybody")
    func routes() async throws {
        let article = try Self.article()
        var documented: [String] = []
        for line in article.split(separator: "\n") where line.hasPrefix("| `") {
            let cell = line.split(separator: "|")[0]
            documented += cell.matches(of: #/`([A-Z]+ \/v1\/[^`?]*)/#).map { String($0.output.1) }
        }
        // One route finds users by either name.
        documented.removeAll { $0.hasSuffix("@{handle}") }
        let routes = try await APIHarness().table.routes
        func text(_ route: RouteTable.Route) -> String { "\(route.method.rawValue) \(route.path)" }
        func plain(_ text: String) -> String { text.replacing(#/{[a-z]+}/#, with: "{}") }
        #expect(Set(documented.map(plain)) == Set(routes.map { plain(text($0)) }))
        #expect(documented.count == routes.count)
        let open = Set(routes.filter { $0.access == .everybody }.map(text))
        #expect(open == Set(documented.prefix(4)) && article.contains("The first four are open to everybody"))
        #expect(routes.allSatisfy { $0.access == .everybody || $0.access == .devices })
    }

    @Test("Its table of errors is the catalogue's: each code under its status")
    func errorCodes() throws {
        var named: Set<ErrorCode> = []
        for line in try Self.article().split(separator: "\n") {
            guard let status = line.firstMatch(of: #/^\| (\d{3}) \|/#).flatMap({ Int($0.output.1) }) else { continue }
            let codes = line.matches(of: #/`([a-z]+(?:_[a-z]+)+|unauthenticated|overloaded|blocked)`/#)
            for name in codes.map({ String($0.output.1) }) {
                let code = try #require(ErrorCode(rawValue: name), "\(name)")
                #expect(code.httpStatus == status, "\(name)")
                named.insert(code)
            }
        }
        #expect(named.count == 26)
    }
}
