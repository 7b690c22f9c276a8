/// Handles that nobody can register, since others would take their user for one of those who run the relay, or for
/// everybody. Users who have one from before keep it.
enum ReservedHandles {
    /// A role is reserved also with dots, underscores and digits in between or behind: `ad.min`, `admin_1`.
    static func contains(_ handle: String) -> Bool {
        let letters = handle.utf8.filter { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
        return roles.contains(String(decoding: letters, as: UTF8.self)) || audiences.contains(handle)
    }

    private static let roles: Set<String> = [
        "abuse", "admin", "administrator", "admins", "baton", "helpdesk", "hostmaster", "mailerdaemon", "mod",
        "moderator", "moderators", "mods", "noreply", "official", "operator", "operators", "postmaster", "root",
        "security", "staff", "superuser", "support", "sysadmin", "system", "webmaster",
    ]
    /// What a message would be addressed to that is for many, or for nobody in particular.
    private static let audiences: Set<String> = [
        "all", "everybody", "everyone", "help", "here", "info", "me", "nobody",
    ]
}
