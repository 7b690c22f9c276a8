/// Names a connection within its node, while the node runs. A later connection has a greater one.
package struct ConnectionID: Hashable, Sendable {
    package let rawValue: UInt64
}
