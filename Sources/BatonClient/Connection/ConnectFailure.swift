import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix

/// Why no connection was made, in the few words that a person needs.
enum ConnectFailure {
    static func text(_ error: any Error) -> String {
        switch error {
        case let error as ClientError:
            if case .unreachable(let why) = error { return why }
            return String(describing: error)
        case let error as NIOConnectionError:
            // One for each address of the host; the last one tried says enough.
            if let cause = error.connectionErrors.last?.error { return text(cause) }
            return "the host \(error.host) is not known"
        case let error as IOError where error.errnoCode > 0:
            return String(cString: strerror(error.errnoCode)).lowercased()
        case ChannelError.connectTimeout: return "no answer in time"
        case let error as HTTPClientError where error == .connectTimeout: return "no answer in time"
        default: return String(describing: error)
        }
    }
}
