import BatonAPI
import BatonCore
import BatonProtocol
import BatonTestKit
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import SwiftProtobuf
import Synchronization
import Testing

/// The whole API over in-memory ports and a clock that stands still. Requests go straight to the router's responder.
struct APIHarness {
    let clock = MutableClock()
    let accounts = InMemoryAccountStore()
    let conversations: InMemoryConversationStore
    let revocations: RecordingRevocationAnnouncer
    let acquaintances = RecordingAcquaintanceAnnouncer()
    let messages = ScriptedSubmitter()
    let presence = SettablePresence()
    let sessions = SettableSessions()
    let refused = RefusedCredentials()
    let standing = Standing()
    let keys: SigningKeys
    let tokens: TokenAuthority
    let passwords: PasswordHasher
    let table: RouteTable
    private let responder: RouterResponder<APIRequestContext>

    /// The cheapest that libargon2 takes: what is tested here is not its strength.
    static let cheap = Argon2Parameters(memoryKiB: 8, iterations: 1, parallelism: 1)
    /// Lives as long as the process, as a node's does.
    static let sharedPasswords = PasswordHasher(parameters: cheap, threads: 2, queue: 4_096)

    init(
        passwords: PasswordHasher = APIHarness.sharedPasswords, isBusReachable: Bool = true,
        _ configure: (inout APISettings) -> Void = { _ in }
    ) async throws {
        conversations = InMemoryConversationStore(accounts: accounts)
        revocations = RecordingRevocationAnnouncer(isReachable: isBusReachable)
        keys = try #require(SigningKeys([.random(created: clock.now)]))
        tokens = await TokenAuthority(keys: keys, clock: clock)
        self.passwords = passwords
        var settings = APISettings()
        configure(&settings)
        var dependencies = APIDependencies(
            accounts: accounts, conversations: conversations, messages: messages,
            limiter: InMemoryRateLimiter(clock: clock),
            revocations: revocations, acquaintances: acquaintances, presence: presence, sessions: sessions,
            clock: clock, tokens: tokens, keys: ClusterKeys(keys), passwords: passwords)
        let refused = refused
        dependencies.onRefused = { refused.add($0) }
        let standing = standing
        dependencies.stoodStill = { standing.isStill }
        table = RouteTable(dependencies, settings: settings)
        responder = table.router().buildResponder()
    }

    struct Answer {
        let status: Int
        let headers: HTTPFields
        let body: [UInt8]

        func decoded<Body: SwiftProtobuf.Message>(as type: Body.Type = Body.self) throws -> Body {
            try Body(jsonUTF8Bytes: body)
        }

        var error: WireError? { try? WireErrorResponse(jsonUTF8Bytes: body).error }
        var code: ErrorCode? { error.flatMap { ErrorCode(rawValue: $0.code) } }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8]? = nil, token: String? = nil,
        from address: String? = "192.0.2.1", headers: HTTPFields = [:]
    ) async throws -> Answer {
        var fields = headers
        if let token { fields[.authorization] = "Bearer \(token)" }
        if body != nil, fields[.contentType] == nil { fields[.contentType] = "application/json" }
        let head = HTTPRequest(
            method: method, scheme: "http", authority: "localhost", path: path, headerFields: fields)
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(bytes: body ?? [])))
        let context = APIRequestContext(
            remoteAddress: address, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let response = try await responder.respond(to: request, context: context)
        let collected = Collector()
        try await response.body.write(collected)
        return Answer(status: response.status.code, headers: response.headers, body: collected.bytes.value)
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, json: String, token: String? = nil,
        from address: String? = "192.0.2.1"
    ) async throws -> Answer {
        try await send(method, path, Array(json.utf8), token: token, from: address)
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ message: some SwiftProtobuf.Message, token: String? = nil,
        from address: String? = "192.0.2.1"
    ) async throws -> Answer {
        try await send(method, path, try message.jsonUTF8Bytes(), token: token, from: address)
    }
}

extension APIHarness {
    static let password = "correct horse"

    static func newAccount(_ handle: String) -> WireNewAccount {
        var account = WireNewAccount()
        account.handle = handle
        account.displayName = handle.uppercased()
        account.password = password
        return account
    }

    static func newLogin(_ handle: String, password: String = password) -> WireLogin {
        var login = WireLogin()
        login.handle = handle
        login.password = password
        login.deviceName = "Phone"
        login.platform = "test"
        return login
    }

    func register(_ handle: String, from address: String = "192.0.2.1") async throws -> WireProfile {
        let answer = try await send(.post, "/v1/users", Self.newAccount(handle), from: address)
        try #require(answer.status == 201, "\(answer.text)")
        return try answer.decoded()
    }

    func login(_ handle: String, from address: String = "192.0.2.1") async throws -> WireTokens {
        let answer = try await send(.post, "/v1/sessions", Self.newLogin(handle), from: address)
        try #require(answer.status == 201, "\(answer.text)")
        return try answer.decoded()
    }

    /// A user with one device.
    func member(_ handle: String) async throws -> WireTokens {
        _ = try await register(handle)
        return try await login(handle)
    }

    func refresh(_ token: String, from address: String = "192.0.2.1") async throws -> Answer {
        var request = WireRefreshRequest()
        request.refreshToken = token
        return try await send(.post, "/v1/sessions/refresh", request, from: address)
    }
}

extension WireTokens {
    var userID: UserID { get throws { try #require(UserID(user)) } }
    var deviceID: DeviceID { get throws { try #require(DeviceID(device)) } }
}

/// Takes a response's body in.
private struct Collector: ResponseBodyWriter {
    final class Bytes: Sendable {
        private let bytes = Mutex<[UInt8]>([])
        var value: [UInt8] { bytes.withLock { $0 } }
        func append(_ buffer: ByteBuffer) { bytes.withLock { $0 += buffer.readableBytesView } }
    }

    let bytes = Bytes()

    mutating func write(_ buffer: ByteBuffer) async throws { bytes.append(buffer) }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

/// Whether the node stood still a moment ago.
final class Standing: Sendable {
    private let value = Mutex(false)

    var isStill: Bool { value.withLock { $0 } }
    func set(isStill: Bool) { value.withLock { $0 = isStill } }
}

/// The credentials that were refused, in their order.
final class RefusedCredentials: Sendable {
    private let seen = Mutex<[RefusedCredential]>([])

    var all: [RefusedCredential] { seen.withLock { $0 } }
    func add(_ credential: RefusedCredential) { seen.withLock { $0.append(credential) } }
}
