import AsyncHTTPClient
import BatonCore
import BatonEdge
import BatonNode
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Requests to nodes and balancers, and when they were asked and answered.
struct DoctorVisits: Sendable {
    struct Answer: Sendable {
        let status: Int
        let body: [UInt8]
        /// This host's time.
        let asked: Timestamp
        let answered: Timestamp
        /// The server's, of whole seconds.
        let date: Timestamp?
    }

    private static let patience = TimeAmount.seconds(2)
    private static let answerBytes = 64 * 1024

    private let http = AdminClient.makeHTTP(on: MultiThreadedEventLoopGroup.singleton)

    /// Asks a node for what only an operator gets.
    ///
    /// - Returns: nil where no program answers that has the token.
    func post(_ path: String, of base: String, as token: AdminToken) async -> (status: Int, body: Data)? {
        let client = AdminClient(token: token, http: http)
        let answer = try? await client.ask(.POST, path, of: base, within: Self.patience)
        return answer.map { (Int($0.status.code), $0.body) }
    }

    /// - Parameter base: `http://host:port` or, as a lease has it, `host:port`.
    /// - Returns: nil where no program answers.
    func get(_ path: String, of base: String) async -> Answer? {
        let asked = SystemClock().now
        let request = HTTPClientRequest(url: (base.contains("://") ? base : "http://" + base) + path)
        guard let response = try? await http.execute(request, timeout: Self.patience) else {
            return nil
        }
        let answered = SystemClock().now
        let body = try? await response.body.collect(upTo: Self.answerBytes)
        return Answer(
            status: Int(response.status.code), body: body.map { Array($0.readableBytesView) } ?? [], asked: asked,
            answered: answered,
            date: response.headers.first(name: "Date").flatMap { HTTPDate.secondsSinceEpoch($0) }.map {
                Timestamp(milliseconds: $0 * 1_000)
            })
    }

    func end() async { try? await http.shutdown() }
}
