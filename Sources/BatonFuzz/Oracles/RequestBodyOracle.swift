import BatonAPI
import BatonCore
import BatonProtocol
import SwiftProtobuf

/// A body of REST: its JSON, and what may stand in its fields. The input's first byte says which body it is.
enum RequestBodyOracle: FuzzOracle {
    static let largest = Limits.Frame.requestBodyBytes

    private enum Kind: UInt8, CaseIterable {
        case newAccount, profileChange, login, devices, passwordChange, refresh
    }

    static func work(_ bytes: [UInt8]) { try? read(bytes) { text throws(FuzzFinding) in _ = try text.applied() } }

    static func judge(_ bytes: [UInt8]) throws(FuzzFinding) {
        try read(bytes) { text throws(FuzzFinding) in try text.check() }
    }

    private static func read(
        _ bytes: [UInt8], _ check: (GivenText) throws(FuzzFinding) -> Void
    ) throws(FuzzFinding) {
        guard let first = bytes.first else { return }
        let kinds = Kind.allCases
        let json = Array(bytes.dropFirst())
        switch kinds[Int(first) % kinds.count] {
        case .newAccount:
            guard let body = try decode(WireNewAccount.self, json) else { return }
            try check(GivenText(body.handle) { text throws(APIError) in try Text.newHandle(text) })
            try check(GivenText(body.displayName) { text throws(APIError) in try Text.displayName(text) })
            try check(newPassword(body.password, handle: body.handle))
            try check(GivenText(body.phone) { text throws(APIError) in try Text.phone(text) })
            try check(GivenText(body.email) { text throws(APIError) in try Text.email(text) })
        case .profileChange:
            guard let body = try decode(WireProfileChange.self, json) else { return }
            try check(GivenText(body.displayName) { text throws(APIError) in try Text.displayName(text) })
            try check(GivenText(body.about) { text throws(APIError) in try Text.about(text) })
            try check(GivenText(body.email) { text throws(APIError) in try Text.email(text) })
        case .login:
            guard let body = try decode(WireLogin.self, json) else { return }
            try check(GivenText(body.handle) { text throws(APIError) in try Text.handle(text) })
            try check(givenPassword(body.password))
            try check(GivenText(body.deviceName) { text throws(APIError) in try Text.deviceName(text) })
            try check(GivenText(body.platform) { text throws(APIError) in try Text.platform(text) })
        case .devices:
            guard let body = try decode(WireDevicesRequest.self, json) else { return }
            for text in body.remove {
                guard let device = DeviceID(text) else { continue }
                try expect(device.description == text, "a device has two texts")
            }
        case .passwordChange:
            guard let body = try decode(WirePasswordChange.self, json) else { return }
            try check(givenPassword(body.oldPassword))
            try check(newPassword(body.newPassword, handle: ""))
        case .refresh:
            guard let body = try decode(WireRefreshRequest.self, json) else { return }
            guard let token = RefreshToken(body.refreshToken) else { return }
            try expect(RefreshToken(token.text) == token, "a refresh token is not its text's")
        }
    }

    private static func newPassword(_ text: String, handle: String) -> GivenText {
        GivenText(text) { text throws(APIError) in try Text.newPassword(text, handle: handle, field: "password") }
    }

    private static func givenPassword(_ text: String) -> GivenText {
        GivenText(text) { text throws(APIError) in try Text.givenPassword(text, field: "password") }
    }

    /// The same body raw and escaped, and again after it was written.
    private static func decode<Body: SwiftProtobuf.Message & Equatable>(
        _ type: Body.Type, _ json: [UInt8]
    ) throws(FuzzFinding) -> Body? {
        let body = read(type, json)
        if let escaped = EscapedJSON.of(json) {
            try expect(read(type, escaped) == body, "a body is not the same when it is escaped")
        }
        guard let body else { return nil }
        guard let bytes = try? WireJSON.encode(body) else { throw FuzzFinding("a body that cannot be written") }
        try expect(read(type, bytes) == body, "a body is not the same when it is written and read")
        return body
    }

    private static func read<Body: SwiftProtobuf.Message>(_ type: Body.Type, _ json: [UInt8]) -> Body? {
        try? WireJSON.decode(type, from: json)
    }
}

/// A text that somebody gave, and the rule for it.
private struct GivenText {
    let text: String
    let rule: (String) throws(APIError) -> String?

    init(_ text: String, _ rule: @escaping (String) throws(APIError) -> String?) {
        self.text = text
        self.rule = rule
    }

    /// What a rule made of a text is right and stays as it is: otherwise nobody could give it again.
    func check() throws(FuzzFinding) {
        guard let kept = try applied() else { return }
        guard let again = try applied(to: kept) else {
            throw FuzzFinding("\(text) became \(kept), which is not taken")
        }
        try expect(again.utf8.elementsEqual(kept.utf8), "\(text) became \(kept), and that \(again)")
    }

    /// What is kept of the text; nil where it is not taken.
    func applied() throws(FuzzFinding) -> String? { try applied(to: text) }

    private func applied(to text: String) throws(FuzzFinding) -> String? {
        do throws(APIError) {
            return try rule(text)
        } catch {
            try WireErrorOracle.check(error.error)
            return nil
        }
    }
}
