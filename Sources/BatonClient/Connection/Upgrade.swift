import BatonProtocol
import Crypto
import Foundation
import NIOCore
import SwiftProtobuf

/// The opening handshake: the request as bytes, and the answer read step by step.
///
/// By hand: a pipeline of HTTP handlers that is taken apart again costs more than the hundred bytes are worth, and
/// would hide the body of a refusal, which says when to try again.
struct Upgrade {
    /// Bytes of the answer's head.
    static let headBytes = 16 * 1024
    /// Bytes of a refusal's body; what is longer is not read.
    static let bodyBytes = 16 * 1024

    enum Step: Equatable {
        case incomplete
        /// The connection speaks WebSocket; so many bytes belonged to the handshake.
        case upgraded(consumed: Int)
        case refused(RelayEnding)
    }

    private let key: String
    private let authority: String
    private let accessToken: String
    private let encoding: Subprotocol

    init(
        authority: String, accessToken: String, encoding: Subprotocol,
        using generator: inout some RandomNumberGenerator
    ) {
        self.authority = authority
        self.accessToken = accessToken
        self.encoding = encoding
        key = Data((0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }).base64EncodedString()
    }

    var request: String {
        """
        GET /v1/ws HTTP/1.1\r
        Host: \(authority)\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Key: \(key)\r
        Sec-WebSocket-Protocol: \(encoding.rawValue)\r
        Authorization: Bearer \(accessToken)\r
        \r

        """
    }

    /// Looks at everything that was received so far. `isComplete`: the server sends no more.
    func read(_ bytes: UnsafeRawBufferPointer, isComplete: Bool) -> Step {
        guard let end = Self.endOfHead(bytes.prefix(Self.headBytes)) else {
            if bytes.count >= Self.headBytes { return .refused(.broken("the answer's head is too long")) }
            return isComplete ? .refused(.broken("closed during the handshake")) : .incomplete
        }
        let head = String(decoding: bytes[..<end], as: UTF8.self)
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)
        let status = lines.isEmpty ? [] : lines.removeFirst().split(separator: " ", maxSplits: 2)
        guard status.count >= 2, status[0].hasPrefix("HTTP/1."), let code = Int(status[1]) else {
            return .refused(.broken("the answer is not HTTP"))
        }
        var headers: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers[line[..<colon].lowercased()] = String(value)
        }
        return code == 101 ? accept(headers, consumed: end) : refuse(code, headers, bytes[end...], isComplete)
    }

    private func accept(_ headers: [String: String], consumed: Int) -> Step {
        guard headers["upgrade"]?.lowercased() == "websocket", headers["sec-websocket-accept"] == Self.accept(for: key)
        else {
            return .refused(.broken("the answer to the upgrade is not RFC 6455's"))
        }
        guard headers["sec-websocket-protocol"] == encoding.rawValue else {
            return .refused(.broken("the server does not speak \(encoding.rawValue)"))
        }
        return .upgraded(consumed: consumed)
    }

    private func refuse(
        _ status: Int, _ headers: [String: String], _ body: Slice<UnsafeRawBufferPointer>, _ isComplete: Bool
    ) -> Step {
        let announced = headers["content-length"].flatMap { Int($0) } ?? Self.bodyBytes
        let wanted = min(max(announced, 0), Self.bodyBytes)
        guard body.count >= wanted || isComplete else { return .incomplete }
        let response = try? WireJSON.decode(WireErrorResponse.self, from: Array(body.prefix(wanted)))
        var error = response?.error ?? WireError()
        if let seconds = headers["retry-after"].flatMap({ UInt32($0) }), error.retryAfterMs == 0 {
            error.retryAfterMs = UInt32(clamping: UInt64(seconds) * 1_000)
        }
        return .refused(.refused(status: status, RelayError(error, status: status)))
    }

    /// RFC 6455, 4.2.2: the key and a constant, hashed.
    static func accept(for key: String) -> String {
        let text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        return Data(Insecure.SHA1.hash(data: Data(text.utf8))).base64EncodedString()
    }

    private static func endOfHead(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard bytes.count >= 4 else { return nil }
        let mark: [UInt8] = [13, 10, 13, 10]
        for index in bytes.startIndex...bytes.endIndex - 4 where bytes[index] == 13 {
            if bytes[index..<index + 4].elementsEqual(mark) { return index + 4 }
        }
        return nil
    }
}
