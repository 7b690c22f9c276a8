import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The page at `/admin`: one document with its style and its script inside, which holds no data, loads nothing and asks
/// for the token.
///
/// Its policy names the style and the script by their digests: no other runs, wherever it came from, and the page may talk
/// to this node only.
struct AdminPage: Sendable {
    private let document: ByteBuffer
    private let policy: String

    init() {
        let style = String(decoding: PackageResources.page_css, as: UTF8.self)
        let script = String(decoding: PackageResources.page_js, as: UTF8.self)
        let text = String(decoding: PackageResources.page_html, as: UTF8.self)
            .replacing("{{style}}", with: style, maxReplacements: 1)
            .replacing("{{script}}", with: script, maxReplacements: 1)
        document = ByteBuffer(string: text)
        policy = [
            "default-src 'none'", "script-src '\(Self.digest(script))'", "style-src '\(Self.digest(style))'",
            "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        ].joined(separator: "; ")
    }

    var response: Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/html; charset=utf-8", .contentSecurityPolicy: policy],
            body: ResponseBody(byteBuffer: document))
    }

    private static func digest(_ text: String) -> String {
        "sha256-" + Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString()
    }
}
