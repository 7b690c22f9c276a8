import BatonCore
import BatonProtocol
import Foundation
import Glibc
import HTTPTypes
import Testing

@testable import BatonAPI

@Suite("What people write into fields")
struct TextTests {
    /// 62 KB of combining marks in falling class: to put them into order costs the square of their number.
    private static let fallingMarks: String = {
        let marks = (0x300...0x36f).compactMap(Unicode.Scalar.init).sorted {
            $0.properties.canonicalCombiningClass > $1.properties.canonicalCombiningClass
        }
        var text = String.UnicodeScalarView()
        for mark in marks { text.append(contentsOf: Array(repeating: mark, count: 31_000 / marks.count)) }
        return String(text)
    }()

    private static let fields: [(name: String, read: @Sendable (String) -> Void)] = [
        ("handle", { _ = try? Text.handle($0) }),
        ("new handle", { _ = try? Text.newHandle($0) }),
        ("display name", { _ = try? Text.displayName($0) }),
        ("about", { _ = try? Text.about($0) }),
        ("device name", { _ = try? Text.deviceName($0) }),
        ("platform", { _ = try? Text.platform($0) }),
        ("new password", { _ = try? Text.newPassword($0, handle: "alice", field: "password") }),
        ("given password", { _ = try? Text.givenPassword($0, field: "password") }),
        ("phone", { _ = try? Text.phone($0) }),
        ("email", { _ = try? Text.email($0) }),
        ("refresh token", { _ = RefreshToken($0) }),
        ("cursor", { _ = PageCursor.decode($0) }),
        ("bearer token", { _ = BearerToken($0) }),
        ("conversation", { _ = ConversationID($0) }),
        ("user", { _ = UserID($0) }),
        ("canary", { _ = CanaryHandle.isReserved($0) }),
    ]

    @Test("Whatever is written into a field, to refuse it costs no more than to read it", arguments: fields.indices)
    func linearWork(_ index: Int) {
        let (name, read) = Self.fields[index]
        for text in [Self.fallingMarks, "a@" + Self.fallingMarks, "@" + Self.fallingMarks] {
            let began = Self.cpuMilliseconds()
            read(text)
            // Before, more than a second.
            #expect(Self.cpuMilliseconds() - began < 50, "\(name)")
        }
    }

    private static func cpuMilliseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }

    @Test("A request with such a password is refused, as one that nobody can have")
    func refused() async throws {
        let api = try await APIHarness()
        var account = APIHarness.newAccount("alice")
        account.password = Self.fallingMarks
        let answer = try await api.send(.post, "/v1/users", account)
        #expect(answer.code == .invalidField && answer.error?.field == "password")
        #expect(answer.error?.message.contains("at most 30 combining marks in a row") == true)
        _ = try await api.register("alice")
        let login = APIHarness.newLogin("alice", password: Self.fallingMarks)
        #expect(try await api.send(.post, "/v1/sessions", login).code == .wrongCredentials)
    }

    @Test("So many combining marks may stand in a row, and no more", arguments: [0, 1])
    func marks(_ surplus: Int) throws {
        let marks = String(repeating: "\u{316}", count: Limits.Account.combiningMarks + surplus)
        let text = "password" + marks
        let isTaken = surplus == 0
        #expect(((try? Text.newPassword(text, handle: "alice", field: "password")) != nil) == isTaken)
        #expect(((try? Text.displayName(text)) != nil) == isTaken)
        #expect(((try? Text.email("p\(marks)@example.org")) != nil) == isTaken)
        #expect((try Text.givenPassword(text, field: "password") != nil) == isTaken)
    }

    @Test("A mark that is two in form C counts as two: what was taken is taken again")
    func marksOfTwo() throws {
        let half = Limits.Account.combiningMarks / 2
        let taken = try Text.givenPassword("12345678" + String(repeating: "\u{344}", count: half), field: "password")
        #expect(try Text.givenPassword(try #require(taken), field: "password") == taken)
        let refused = "12345678" + String(repeating: "\u{344}", count: half + 1)
        #expect(try Text.givenPassword(refused, field: "password") == nil)
    }

    @Test("A text that is at its bound in form C may come in any other form")
    func decomposed() throws {
        // The character that may come in the most bytes for those that it has.
        let password = String(repeating: "\u{1FBE}\u{308}\u{301}", count: 128)
        #expect(password.utf8.count == 896)
        #expect(try Text.givenPassword(password, field: "password")?.utf8.count == 256)
        #expect(try Text.newPassword(password, handle: "alice", field: "password").utf8.count == 256)
        #expect(try Text.givenPassword(password + "\u{390}", field: "password") == nil)
        let limit = Limits.Account.passwordBytes.upperBound * Limits.Account.decomposedFactor
        #expect(try Text.givenPassword(String(repeating: "x", count: limit + 1), field: "password") == nil)
        let name = String(repeating: "x\u{31B}\u{301}\u{323}", count: Limits.Account.displayNameCharacters)
        #expect(try Text.displayName(name).count == Limits.Account.displayNameCharacters)
        #expect((try? Text.displayName(name + "\u{302}")) == nil)
    }

    @Test("No character has more bytes than the bound expects for those of its form C")
    func factor() {
        for value in UInt32(0)...0x10_FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = String(scalar)
            let decomposed = text.decomposedStringWithCanonicalMapping.utf8.count
            let composed = text.precomposedStringWithCanonicalMapping.utf8.count
            #expect(max(text.utf8.count, decomposed) <= 3 * composed)
        }
    }

    @Test(
        "A name of which nothing can be seen is none",
        arguments: [
            "\u{200B}", "\u{3164}", "\u{200B}\u{3164} \u{FFA0}", "\u{115F}\u{1160}", "\u{AD}", "\u{2800}\u{2800}",
            "\u{FEFF}", "\u{2060}\u{2062}", "\u{301}\u{302}", "\u{20DD}", "\u{E0041}", "\u{FE0F}", "\u{1D159}",
            "\u{180E}",
        ])
    func invisible(_ name: String) async throws {
        let api = try await APIHarness()
        var account = APIHarness.newAccount("alice")
        account.displayName = name
        let answer = try await api.send(.post, "/v1/users", account)
        #expect(answer.code == .invalidField && answer.error?.field == "display_name")
        #expect(answer.error?.message.contains("visible") == true)
        #expect(throws: APIError.self) { try Text.deviceName(name) }
        #expect(throws: APIError.self) { try Text.about(name) }
    }

    @Test(
        "A name with something to be seen is one, whatever joins its parts",
        arguments: [
            "👩‍👩‍👧", "नि\u{200D}", "می\u{200C}خواهم", "❤\u{FE0F}", "\u{200B}a", "é", "○", "李", "क\u{93F}", "\u{F8FF}",
        ])
    func visible(_ name: String) throws {
        _ = try Text.displayName(name)
    }

    @Test(
        "Handles of those who run the relay, and of everybody, cannot be registered",
        arguments: [
            "admin", "Admin", "ADMIN", "ad.min", "admin_1", "a_d_m_i_n", "root", "support.2", "system", "postmaster",
            "everyone", "everybody", "all", "mod_",
        ])
    func reserved(_ handle: String) async throws {
        let api = try await APIHarness()
        let answer = try await api.send(.post, "/v1/users", APIHarness.newAccount(handle))
        #expect(answer.code == .invalidField && answer.error?.field == "handle")
        #expect(answer.error?.message.contains("reserved") == true)
        // Users who have one from before log in, and are found.
        #expect(try await api.send(.post, "/v1/sessions", APIHarness.newLogin(handle)).code == .wrongCredentials)
        let alice = try await api.member("alice")
        #expect(try await api.send(.get, "/v1/users/@\(handle)", token: alice.accessToken).code == .unknownUser)
    }

    @Test(
        "Other handles that hold such a word are free",
        arguments: ["adminton", "modest", "heres", "rooty", "all.of.us"])
    func free(_ handle: String) async throws {
        let answer = try await APIHarness().send(.post, "/v1/users", APIHarness.newAccount(handle))
        #expect(answer.status == 201)
    }
}

extension Unicode.CanonicalCombiningClass {
    fileprivate static func > (one: Self, other: Self) -> Bool { one.rawValue > other.rawValue }
}
