/// The handles of the users by which nodes check that messages arrive.
///
/// Nobody can register one or log in with one. A node's name has no dot, so that no node's partner is another node.
public enum CanaryHandle {
    /// What reserves a handle.
    public static let prefix = "canary-"

    /// The user who writes to the canaries of all nodes, and hears from theirs.
    public static func sender(of node: NodeID) -> String { prefix + node.name }

    /// The user of the same node whom the first one can always reach, unless the node itself is broken.
    public static func partner(of node: NodeID) -> String { prefix + node.name + ".partner" }

    /// The user as whom `baton doctor` looks through a balancer. No node has an empty name.
    public static let doctor = prefix + ".doctor"

    /// Compares bytes: what comes from outside may be long, and to compare its characters costs the square of that.
    public static func isReserved(_ handle: String) -> Bool { handle.utf8.starts(with: prefix.utf8) }
}
