import BatonCore
import BatonProtocol
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import SwiftProtobuf

/// Requests and answers are the proto3 JSON of the messages of relay.proto, as `WireJSON` reads and writes it.
enum JSONBody {
    private static let mediaType = "application/json"

    /// Reads a request's body. Never takes more of it than `Limits.Frame.requestBodyBytes`.
    static func decode<Body: SwiftProtobuf.Message>(
        _ type: Body.Type, from request: Request
    ) async throws(APIError) -> Body {
        let name = Body.protoMessageName.split(separator: ".").last ?? ""
        guard isJSON(request.headers[.contentType]) else {
            throw APIError(.wrongEncoding, "the body has to be \(mediaType), in UTF-8", field: "Content-Type")
        }
        if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
            throw APIError(
                .wrongEncoding, "the body has to come as it is, and comes as \(Excerpt.quoted(coding))",
                field: "Content-Encoding")
        }
        let bytes = try await collect(request)
        guard !bytes.isEmpty else { throw APIError(.malformedFrame, "the body is empty; send the JSON of \(name)") }
        do {
            return try WireJSON.decode(type, from: bytes)
        } catch {
            throw APIError(
                .malformedFrame, "the body is not JSON of \(name) (relay.proto): \(error.message)", field: error.field)
        }
    }

    static func response(
        _ message: some SwiftProtobuf.Message, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws(APIError) -> Response {
        response(ByteBuffer(bytes: try bytes(of: message)), status: status, headers: headers)
    }

    /// An answer that is JSON already.
    static func response(
        _ body: ByteBuffer, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = mediaType
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    static func bytes(of message: some SwiftProtobuf.Message) throws(APIError) -> [UInt8] {
        do {
            return try WireJSON.encode(message)
        } catch {
            throw .internalError
        }
    }

    private static func isJSON(_ contentType: String?) -> Bool {
        guard let contentType, contentType.utf8.count <= 128 else { return false }
        let parts = contentType.lowercased().split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
        guard parts.first == mediaType else { return false }
        return parts.dropFirst().allSatisfy { parameter in
            !parameter.hasPrefix("charset=") || ["charset=utf-8", "charset=\"utf-8\""].contains(parameter)
        }
    }

    private static func collect(_ request: Request) async throws(APIError) -> [UInt8] {
        let limit = Limits.Frame.requestBodyBytes
        let tooLarge = APIError(.tooLarge, "the body has more than \(limit) bytes")
        if let declared = request.headers[.contentLength].flatMap({ Int($0) }), declared > limit { throw tooLarge }
        do {
            let buffer = try await request.body.collect(upTo: limit)
            return Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw tooLarge
        } catch {
            throw APIError(.malformedFrame, "the body ended too early")
        }
    }
}
