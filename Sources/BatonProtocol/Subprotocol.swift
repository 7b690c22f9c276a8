/// The WebSocket subprotocols: version and encoding in one name.
public enum Subprotocol: String, CaseIterable, Sendable {
    /// Binary frames with protobuf.
    case proto = "baton.v1.proto"
    /// Text frames with proto3 JSON.
    case json = "baton.v1.json"

    /// Where a browser, which cannot set headers, puts its access token: an entry of the subprotocol list that begins
    /// like this. It is never echoed.
    public static let tokenPrefix = "baton.token."
}
