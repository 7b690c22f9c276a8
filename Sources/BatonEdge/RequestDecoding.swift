import BatonCore
package import NIOCore
package import NIOHTTP1

/// How requests are read from a connection: NIO's parser within our bounds.
package enum RequestDecoding {
    package static func handler() -> ByteToMessageHandler<HTTPRequestDecoder> {
        // The parser's own bounds leave out the request line, which stays in the decoder's buffer until it ends.
        ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: headLimits),
            maximumBufferSize: Limits.Frame.requestHeadBytes)
    }

    private static let headLimits: NIOHTTPDecoderLimitConfiguration = {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = Limits.Frame.requestHeadBytes
        limits.maxHeaderListSize = Limits.Frame.requestHeadBytes
        limits.maxHeaderFieldCount = 100
        return limits
    }()
}
