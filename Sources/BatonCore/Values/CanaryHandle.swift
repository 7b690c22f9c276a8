/// The handles of canaries: users with which nodes check that messages arrive.
///
/// No client can register or log in with one. A node's name has no dot, so no partner has another node's sender handle.
public enum CanaryHandle {
    /// Handles with this prefix are reserved.
    public static let prefix = "canary-"

    /// The user who sends to and receives from the canaries of all nodes.
    public static func sender(of node: NodeID) -> String { prefix + node.name }

    /// A second user of the same node. The sender reaches it unless the node itself is broken.
    public static func partner(of node: NodeID) -> String { prefix + node.name + ".partner" }

    /// The user of `baton doctor` when it connects through a balancer. No node has an empty name, so no canary has it.
    public static let doctor = prefix + ".doctor"

    /// Compares bytes: what comes from outside may be long, and to compare its characters costs the square of that.
    public static func isReserved(_ handle: String) -> Bool { handle.utf8.starts(with: prefix.utf8) }
}
