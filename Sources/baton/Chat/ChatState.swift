import BatonClient
import Foundation

/// Where the state of a terminal's device is kept: one file for each server, user and profile, so that each is a
/// device of its own.
struct ChatState {
    static let file = "state"
    private static let allowed = Set("abcdefghijklmnopqrstuvwxyz0123456789._-")

    /// The file's path, for example `~/.local/state/baton/127.0.0.1_8080/alice/default.state`.
    let path: String

    /// - Returns: nil where the user's or the profile's name could leave the folder, or belongs to nobody.
    init?(environment: [String: String], addresses: [RelayAddress], user: String, profile: String) {
        guard Self.isName(user), Self.isName(profile), let server = addresses.map(Self.name(of:)).min() else {
            return nil
        }
        let folder: String
        // By the rules of XDG a relative path counts as none.
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
            folder = state
        } else if let home = environment["HOME"], home.hasPrefix("/") {
            folder = home + "/.local/state"
        } else {
            return nil
        }
        path = "\(folder)/baton/\(server)/\(user)/\(profile).\(Self.file)"
    }

    /// Makes the folder, for its owner only.
    func prepare() throws {
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64 && text.first != "." && text.allSatisfy { allowed.contains($0) }
    }

    private static func name(of address: RelayAddress) -> String {
        let scheme = address.usesTLS ? "tls_" : ""
        let host = address.host.lowercased().map { allowed.contains($0) ? String($0) : "_" }.joined()
        return "\(scheme)\(host)_\(address.port)"
    }
}
