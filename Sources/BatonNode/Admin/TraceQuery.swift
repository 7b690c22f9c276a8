import BatonAPI
package import BatonCore
import BatonGateway
import BatonProtocol
import Foundation

/// What `/admin/trace/<ref or message id>` is asked: the path's last part, and in the query what other nodes told already.
///
///     /admin/trace/<message>?place=<user>.<inbox sequence>,<user>.<inbox sequence>
package struct TraceQuery {
    let keys: TraceKeys

    /// - Parameters:
    ///   - text: as it stands in the path, with its percent signs.
    ///   - places: nil where the query has none.
    init(path text: String, places: String?) throws(APIError) {
        guard let what = text.removingPercentEncoding, var keys = TraceKeys(what) else {
            let bytes = Limits.Message.refBytes
            throw APIError(.invalidField, "a message's id, or a ref of 1 to \(bytes) bytes, stands behind /trace/")
        }
        let parts = (places ?? "").split(separator: ",")
        guard parts.count <= Limits.Trace.keys else {
            throw APIError(.tooLarge, "at most \(Limits.Trace.keys) places are asked for at once", field: "place")
        }
        for part in parts {
            guard let dot = part.firstIndex(of: "."), let user = UserID(String(part[..<dot])),
                let number = UInt64(part[part.index(after: dot)...]), number > 0, number <= UInt64(Int64.max)
            else { throw APIError(.invalidField, "a place is <user>.<inbox sequence>", field: "place") }
            keys.add(InboxSequence(rawValue: number), of: user)
        }
        self.keys = keys
    }

    /// The path and query that ask for this.
    package static func path(_ what: String, _ places: [UserID: Set<InboxSequence>]) -> String {
        let allowed = CharacterSet.alphanumerics.intersection(.init(charactersIn: "\0"..."\u{7f}")).union(
            .init(charactersIn: "-._~"))
        let path = "/admin/trace/" + (what.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")
        let list = places.flatMap { user, sequences in sequences.map { "\(user).\($0)" } }.sorted()
        return list.isEmpty ? path : path + "?place=" + list.prefix(Limits.Trace.keys).joined(separator: ",")
    }
}
