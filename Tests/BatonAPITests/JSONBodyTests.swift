import BatonAPI
import BatonCore
import BatonProtocol
import BatonTestKit
import HTTPTypes
import SwiftProtobuf
import Testing

@Suite("Bodies in JSON")
struct JSONBodyTests {
    @Test("A name that comes escaped is the name, and what is shown of it is what a client wrote")
    func names() async throws {
        let api = try await APIHarness()
        let json =
            #"{"handle":"alice","displayName":"\ud842\udfb7\u91ce\u5bb6 \udbff\udffd","password":"correct horse"}"#
        // The last one is of the 16th plane, in private use.
        let answer = try await api.send(.post, "/v1/users", json: json)
        let profile: WireProfile = try answer.decoded()
        #expect(Array(profile.displayName.utf8) == Array("\u{20BB7}野家 \u{10FFFD}".utf8))
        #expect(answer.text.contains("\u{20BB7}野家"))
    }

    @Test("Two passwords that differ in one plane are two, and one that came escaped is the same as it is")
    func passwords() async throws {
        let api = try await APIHarness()
        func login(_ password: String) async throws -> Int {
            let json = #"{"handle":"alice","password":"\#(password)","deviceName":"d","platform":"p"}"#
            return try await api.send(.post, "/v1/sessions", json: json).status
        }
        let account = #"{"handle":"alice","displayName":"Alice","password":"\ud842\udfb7 correct"}"#
        #expect(try await api.send(.post, "/v1/users", json: account).status == 201)
        #expect(try await login("\u{20BB7} correct") == 201)
        #expect(try await login(#"\uD842\uDFB7 correct"#) == 201)
        #expect(try await login("\u{10BB7} correct") == 401)
        #expect(try await login(#"\ud802\udfb7 correct"#) == 401)
    }

    private static let bodies: [(HTTPRequest.Method, String, String)] = [
        (.post, "/v1/users", WireNewAccount.protoMessageName), (.post, "/v1/sessions", WireLogin.protoMessageName),
        (.post, "/v1/sessions/refresh", WireRefreshRequest.protoMessageName),
        (.patch, "/v1/users/me", WireProfileChange.protoMessageName),
        (.post, "/v1/users/me/password", WirePasswordChange.protoMessageName),
    ]

    @Test("A value of a wrong type is named in each field of each body", arguments: bodies.indices)
    func wrongTypes(_ index: Int) async throws {
        let (method, path, message) = Self.bodies[index]
        let api = try await APIHarness { $0.rateLimits.registrationPerAddress.capacity = 1_000 }
        let token = try await api.member("alice").accessToken
        let schema = WireSchema.shared
        let fields = schema.fields[schema.messages[try #require(schema.index(of: message))].fields]
        #expect(!fields.isEmpty)
        for field in fields.map(schema.name) {
            for value in ["1", "true", "[]", "{}", #"["x"]"#, "1e400", #""\ud800""#, #""\x""#, "NaN"] {
                let answer = try await api.send(method, path, json: #"{"\#(field)":\#(value)}"#, token: token)
                #expect(answer.status == 400 && answer.code == .malformedFrame, "\(answer.text)")
                #expect(answer.error?.field == field && answer.error?.message.contains("\(field) ") == true)
            }
            let twice = try await api.send(method, path, json: #"{"\#(field)":"x","\#(field)":"y"}"#, token: token)
            #expect(twice.code == .malformedFrame && twice.error?.message.hasSuffix("\(field) stands twice") == true)
        }
    }

    @Test("Numbers of any size in a field that nobody knows do no harm")
    func unknownNumbers() async throws {
        let api = try await APIHarness()
        for (index, value) in ["1e400", "-0", String(repeating: "7", count: 40_000)].enumerated() {
            let json =
                #"{"later":\#(value),"handle":"alice\#(index)","displayName":"Alice","password":"correct horse"}"#
            #expect(try await api.send(.post, "/v1/users", json: json).status == 201)
        }
    }

    @Test("A body that is compressed is told so, whether or not it says so")
    func compressed() async throws {
        let api = try await APIHarness()
        let gzip: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0]
        let said = try await api.send(
            .post, "/v1/users", gzip, headers: [.contentEncoding: "gzip", .contentType: "application/json"])
        #expect(said.status == 400 && said.code == .wrongEncoding && said.error?.field == "Content-Encoding")
        #expect(said.error?.message == #"the body has to come as it is, and comes as "gzip""#)
        let unsaid = try await api.send(.post, "/v1/users", gzip)
        #expect(unsaid.code == .malformedFrame)
        #expect(unsaid.error?.message.hasSuffix("the text is not UTF-8: the first wrong byte is byte 1") == true)
        let identity = try await api.send(
            .post, "/v1/users", try APIHarness.newAccount("alice").jsonUTF8Bytes(),
            headers: [.contentEncoding: "identity", .contentType: "application/json"])
        #expect(identity.status == 201)
    }
}
