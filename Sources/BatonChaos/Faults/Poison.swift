import BatonCore

/// Bytes that no client should send. A node must answer them or end the connection, and no other client may notice.
struct Poison: Sendable {
    enum Greeting: Sendable {
        /// Right after the connection.
        case none
        /// After a handshake for frames of protobuf, or of JSON.
        case proto, json
    }

    let name: String
    let greeting: Greeting
    let bytes: [UInt8]

    /// All there are. What is random in them is the generator's.
    static func all(using generator: inout SeededGenerator) -> [Poison] {
        let noise = (0..<2_048).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return http(noise) + frames(noise)
    }

    private static func http(_ noise: [UInt8]) -> [Poison] {
        func poison(_ name: String, _ text: String) -> Poison {
            Poison(name: name, greeting: .none, bytes: Array(text.utf8))
        }
        let post = "POST /v1/users HTTP/1.1\r\nHost: poison\r\nContent-Type: application/json\r\n"
        let nested = String(repeating: "[", count: 20_000)
        let endless = "GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 200_000)
        let opening = Array((post + "Content-Length: 16\r\n\r\n{\"handle\":\"").utf8)
        let broken: [UInt8] = [0xc3, 0x28, 0xff, UInt8(ascii: "\""), UInt8(ascii: "}")]
        return [
            Poison(name: "noise instead of HTTP", greeting: .none, bytes: noise + [13, 10, 13, 10]),
            poison("a header without end", endless),
            poison("a negative length", post + "Content-Length: -1\r\n\r\n{}"),
            poison("deeply nested JSON", post + "Content-Length: \(nested.utf8.count)\r\n\r\n" + nested),
            Poison(name: "JSON that is no UTF-8", greeting: .none, bytes: opening + broken),
        ]
    }

    private static func frames(_ noise: [UInt8]) -> [Poison] {
        func poison(_ name: String, _ bytes: [UInt8], _ greeting: Greeting = .proto) -> Poison {
            Poison(name: name, greeting: greeting, bytes: bytes)
        }
        // A field of 4 GiB in a message of six bytes.
        let lying: [UInt8] = [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]
        return [
            poison("noise instead of frames", noise),
            poison("a frame of noise", frame(0x82, noise)),
            poison("a field longer than its frame", frame(0x82, lying)),
            poison("an empty frame", frame(0x82, [])),
            poison("a frame that was not negotiated", frame(0x81, Array("{}".utf8))),
            poison("text that is no UTF-8", frame(0x81, [0x7b, 0xc3, 0x28, 0x7d]), .json),
            poison("JSON without end", frame(0x81, Array(repeating: UInt8(ascii: "["), count: 20_000)), .json),
            poison("an unmasked frame", [0x82, 0x01, 0x00]),
            poison("an unknown opcode", frame(0x8b, [])),
            poison("reserved bits", frame(0xf2, [0])),
            poison("a continuation of nothing", frame(0x80, [0])),
            poison("a control frame in pieces", frame(0x09, [0])),
            poison("a control frame of 200 bytes", frame(0x89, Array(repeating: 0, count: 200))),
            poison("a frame of 4 EiB", [0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            poison("a close code that there is not", frame(0x88, [0x00, 0x01])),
        ]
    }

    /// A frame as a client masks it, with a key of zeros.
    private static func frame(_ head: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let count = payload.count
        let length: [UInt8] =
            count < 126 ? [0x80 | UInt8(count)] : [0x80 | 126, UInt8(count >> 8 & 0xff), UInt8(count & 0xff)]
        return [head] + length + [0, 0, 0, 0] + payload
    }
}
