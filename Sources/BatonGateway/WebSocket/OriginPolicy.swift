/// Which web pages may open a WebSocket here.
///
/// A browser always says the page's origin and cannot be made to lie by the page; who says none is no browser, and no
/// page's visitor is at risk. A page of this very host is always allowed.
package struct OriginPolicy: Hashable, Sendable {
    private let allowed: Set<String>

    /// - Parameter allowed: origins as browsers write them (`https://chat.example`), or `*` for all.
    package init(allowed: some Sequence<String> = []) {
        self.allowed = Set(allowed.map { $0.lowercased() })
    }

    package func admits(origin: String, host: String) -> Bool {
        let origin = origin.lowercased()
        if allowed.contains("*") || allowed.contains(origin) { return true }
        guard let separator = origin.firstRange(of: "://") else { return false }
        return origin[separator.upperBound...] == host.lowercased()
    }
}
