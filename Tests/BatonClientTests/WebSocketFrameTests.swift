import Testing

@testable import BatonClient

@Suite("A client's frames")
struct WebSocketFrameTests {
    @Test("Masking twice gives the bytes back, whatever their number", arguments: 0...40)
    func maskingIsItsOwnInverse(count: Int) {
        let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        var bytes = plain
        bytes.withUnsafeMutableBytes { WebSocketFrame.mask($0, key: 0xdead_beef) }
        let key = withUnsafeBytes(of: UInt32(0xdead_beef)) { Array($0) }
        #expect(bytes == plain.enumerated().map { $1 ^ key[$0 & 3] })
        bytes.withUnsafeMutableBytes { WebSocketFrame.mask($0, key: 0xdead_beef) }
        #expect(bytes == plain)
    }

    @Test("The head has the length's three forms", arguments: [(125, 6), (126, 8), (65_535, 8), (65_536, 14)])
    func headForms(count: Int, head: Int) {
        var bytes = [UInt8](repeating: 0, count: 14)
        let written = bytes.withUnsafeMutableBytes {
            WebSocketFrame.writeHead(.binary, payload: count, key: 1, into: $0)
        }
        #expect(written == head)
        #expect(bytes[0] == 0x82)
        #expect(bytes[1] & 0x80 == 0x80)
    }

    @Test("A frame that is cut anywhere is incomplete, whole it is read")
    func cutAnywhere() {
        let frame: [UInt8] = [0x82, 126, 0, 130] + [UInt8](repeating: 7, count: 130)
        frame.withUnsafeBytes { bytes in
            for end in 0..<bytes.count {
                let part = UnsafeRawBufferPointer(rebasing: bytes[..<end])
                #expect(WebSocketFrame.read(part, from: 0, limit: 1_000) == .incomplete)
            }
            #expect(
                WebSocketFrame.read(bytes, from: 0, limit: 1_000) == .frame(.binary, isFinal: true, payload: 4..<134))
        }
    }

    @Test(
        "What a server must not send is a violation",
        arguments: [
            [0x82, 0x81, 0, 0, 0, 0, 0], [0xc2, 0], [0x83, 0], [0x09, 0], [0x89, 126, 0, 126],
            [0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ] as [[UInt8]])
    func violations(frame: [UInt8]) {
        let step = frame.withUnsafeBytes { WebSocketFrame.read($0, from: 0, limit: 1_000) }
        guard case .violation = step else { return #expect(Bool(false), "\(step)") }
    }

    @Test("Random bytes never trap")
    func randomBytes() {
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...40)).map { _ in UInt8.random(in: 0...255) }
            _ = bytes.withUnsafeBytes { WebSocketFrame.read($0, from: 0, limit: 1_000) }
        }
    }

    @Test(
        "Addresses are told apart from what is none",
        arguments: [
            ("http://localhost:8080", "http://localhost:8080"), ("wss://chat.example", "https://chat.example:443"),
            ("127.0.0.1:9001/", "http://127.0.0.1:9001"), ("ws://[::1]:80", "http://[::1]:80"), ("ftp://x", nil),
            ("http://", nil), ("http://a:0", nil), ("http://a:70000", nil), ("http://a/b", nil), ("http://a b", nil),
            ("http://u@h", nil), ("http://[::1", nil),
        ] as [(String, String?)])
    func addresses(text: String, expected: String?) {
        #expect(RelayAddress(text)?.description == expected)
    }
}
