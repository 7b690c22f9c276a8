import BatonCore
import NIOCore

/// The pieces in which bytes may come from a socket.
enum Pieces {
    /// Beyond so many bytes they do not come one by one, which would take too long.
    private static let oneByOne = 512

    /// Some ways to cut bytes, each of them the same for the same bytes.
    static func ways(to bytes: [UInt8]) -> [[ArraySlice<UInt8>]] {
        let count = bytes.count <= oneByOne ? 1 : 61
        let small = stride(from: 0, to: bytes.count, by: count).map { bytes[$0..<min($0 + count, bytes.count)] }
        let place = Int(FNV1a.hash(bytes) >> 16) % max(1, bytes.count)
        return [small, [bytes[..<place], bytes[place...]]]
    }
}

/// Where connections without a network come from.
enum FuzzAddress {
    static let peer = (try? SocketAddress(unixDomainSocketPath: "/peer")).unsafelyUnwrapped
}
