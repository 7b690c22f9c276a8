/// The version that `/health/ready` and `baton --version` tell.
package enum NodeVersion {
    package static let current = "0.1.0"
}
