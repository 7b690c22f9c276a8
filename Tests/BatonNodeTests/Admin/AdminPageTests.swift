import Crypto
import Foundation
import HTTPTypes
import Testing

@Suite("The page at /admin")
struct AdminPageTests {
    @Test("It is one document that asks for the token, and itself holds no data")
    func document() async throws {
        let answer = try await AdminHarness().get("/admin")
        #expect(answer.status == 200)
        #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
        #expect(answer.headers[.cacheControl] == "no-store")
        #expect(answer.headers[.xContentTypeOptions] == "nosniff")
        #expect(answer.text.hasPrefix("<!doctype html>") && answer.text.hasSuffix("</html>\n"))
        #expect(!answer.text.contains("{{") && !answer.text.contains("n1"))
        #expect(answer.text.contains(#"type="password""#))
    }

    @Test("Its policy lets its own style and script run, nothing else, and no other host be asked")
    func policy() async throws {
        let answer = try await AdminHarness().get("/admin")
        let header = try #require(answer.headers[.contentSecurityPolicy])
        let policy = Dictionary(
            uniqueKeysWithValues: header.split(separator: ";").map { directive in
                let words = directive.split(separator: " ").map(String.init)
                return (words[0], words.dropFirst().joined(separator: " "))
            })
        #expect(policy["default-src"] == "'none'")
        #expect(policy["connect-src"] == "'self'")
        #expect(policy["frame-ancestors"] == "'none'" && policy["base-uri"] == "'none'")
        #expect(policy["form-action"] == "'none'")
        #expect(policy["script-src"] == "'\(try digest(of: "script", in: answer.text))'")
        #expect(policy["style-src"] == "'\(try digest(of: "style", in: answer.text))'")
    }

    @Test("It loads nothing, and has nothing that the policy would keep from working")
    func selfContained() async throws {
        let text = try await AdminHarness().get("/admin").text
        for pattern in [
            #"\ssrc\s*="#, #"<link\b"#, #"@import"#, #"url\("#, #"\sstyle\s*=\s*""#, #"\son[a-z]+\s*=\s*""#,
            #"innerHTML"#,
            #"eval\("#, #"https?://[a-z]"#, #"localStorage"#,
        ] {
            #expect(try Regex(pattern).firstMatch(in: text) == nil, "\(pattern)")
        }
    }

    @Test("What it is told is made harmless where it comes in, and nowhere else does anything come in")
    func harmless() async throws {
        let text = try await AdminHarness().get("/admin").text
        #expect(text.contains("JSON.parse(await response.text(), printable)"))
        #expect(!text.contains(".json()") && text.components(separatedBy: "JSON.parse(").count == 2)
    }

    private func digest(of tag: String, in text: String) throws -> String {
        let start = try #require(text.range(of: "<\(tag)>"))
        let end = try #require(text.range(of: "</\(tag)>", range: start.upperBound..<text.endIndex))
        let content = Data(text[start.upperBound..<end.lowerBound].utf8)
        return "sha256-" + Data(SHA256.hash(data: content)).base64EncodedString()
    }
}
