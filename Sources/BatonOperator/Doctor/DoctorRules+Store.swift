import BatonCore
import BatonStore

/// What the place and the state of the store's file mean.
extension DoctorRules {
    /// Names of file systems, or what they begin with, that other hosts share.
    private static let remote = ["nfs", "cifs", "smb", "fuse", "9p", "ceph", "glusterfs", "afs", "lustre", "vboxsf"]
    private static let memory = ["tmpfs", "ramfs"]

    /// The type of the file system that a folder is on: of the longest mount point above it, the last where several
    /// are one over the other.
    ///
    /// - Parameters:
    ///   - folder: absolute, without symbolic links.
    ///   - mounts: `/proc/self/mounts`.
    static func fileSystemType(of folder: String, mounts: String) -> String? {
        var best: (point: Substring, type: Substring)?
        for line in mounts.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 3 else { continue }
            let point = words[1]
            guard point == "/" || folder == point || folder.hasPrefix(point + "/") else { continue }
            if point.utf8.count >= best?.point.utf8.count ?? 0 { best = (point, words[2]) }
        }
        return best.map { String($0.type) }
    }

    static func fileSystem(_ type: String, folder: String) -> Finding {
        let check = "store file system"
        if remote.contains(where: type.hasPrefix) {
            return .failure(
                check, "\(type) at \(folder): its locks and its memory maps do not keep several nodes apart",
                change: "store.path: a path on a disk of this host")
        }
        if memory.contains(type) {
            return .warning(
                check, "\(type) at \(folder): what was accepted is gone when this host loses its power",
                change: "store.path: a path on a disk")
        }
        if type.hasPrefix("overlay") {
            return .warning(
                check, "\(type), a container's own layer, at \(folder): it goes with the container",
                change: "store.path: a path on a volume")
        }
        return .ok(check, type)
    }

    /// - Parameters:
    ///   - readers: processes that read one state of the store for long.
    ///   - isRunning: whether nodes have the store open.
    static func wal(_ bytes: Int64, readers: [String], isRunning: Bool) -> Finding {
        let check = "store log"
        guard bytes > Limits.Store.logBytes else { return .ok(check, "\(size(bytes)) to be brought into the file") }
        guard readers.isEmpty else {
            let list = readers.joined(separator: ", ")
            return .warning(
                check, "\(size(bytes)), and it grows while process \(list) reads one state of the store",
                change: "end process \(list), or the transaction in which it reads")
        }
        return .ok(
            check,
            "\(size(bytes)): it was held and is no longer; "
                + (isRunning ? "a node cuts it off within seconds" : "the next node that writes cuts it off"))
    }

    /// - Parameter holder: the process that may write to the store, and has written nothing for long.
    static func writer(_ holder: String?) -> Finding {
        let check = "store lock"
        guard let holder else { return .ok(check, "nobody holds it") }
        return .failure(
            check, "process \(holder) holds it: sends, logins and registrations are refused meanwhile",
            change: "end process \(holder), or its transaction")
    }

    static func lastStop(_ stop: StoreInspector.LastStop) -> Finding {
        let check = "store last stop"
        return switch stop {
        case .running: .ok(check, "nodes have it open")
        case .clean: .ok(check, "the last node closed it")
        case .unclean:
            .warning(
                check, "the last nodes were killed: the next start checks the whole file first",
                change: "stop nodes with SIGTERM, and give them limits.evacuationSeconds and 10 s more")
        }
    }

    static func upgrade(_ releases: StoreInspector.Releases) -> Finding {
        let check = "store upgrade"
        guard releases.newest <= releases.own else {
            return .warning(
                check, "nodes of a newer release than this program's have opened the store",
                change: "use the newer release's program")
        }
        guard releases.newest == releases.own else {
            return .ok(check, "the first node of this release migrates the store")
        }
        guard releases.oldest == releases.own else {
            return .warning(
                check, "older nodes may still open the store, so what they would misread is refused",
                change: "once all nodes are of this release: stop all of them once, and start them again")
        }
        return .ok(check, "finished")
    }

    /// The permissions of a file or folder.
    struct Access: Hashable {
        let path: String
        let mode: UInt32
        let group: String

        /// Who beside the owner has one of these bits of `others`: read 4, write 2.
        func who(_ bits: UInt32) -> String? {
            if mode & bits != 0 { return "everybody on this host" }
            return mode & (bits << 3) != 0 ? "group \(group)" : nil
        }
    }

    /// - Parameters:
    ///   - files: of the store, and others that are for the nodes' user only.
    ///   - folder: of the store.
    static func access(to files: [Access], folder: Access?) -> Finding {
        let check = "store access"
        // A folder can be listed with the bit that a file can be read with.
        let exposed = files.filter { $0.mode & 0o066 != 0 }
        if !exposed.isEmpty {
            let found = Set(exposed.compactMap { $0.who(4) ?? $0.who(2) }).sorted().map { who in
                let theirs = exposed.filter { ($0.who(4) ?? $0.who(2)) == who }
                let verb = theirs.contains { $0.who(2) != nil } ? "read or change" : "read"
                return "\(who) can \(verb) \(theirs.map(\.path).joined(separator: ", "))"
            }
            return .failure(
                check, found.joined(separator: "; ") + ": messages and hashes of passwords",
                change: "chmod go-rwx \(exposed.map(\.path).joined(separator: " "))")
        }
        // In a folder with the sticky bit others replace their own files only.
        if let folder, folder.mode & 0o1000 == 0, let who = folder.who(2) {
            return .failure(
                check, "\(who) can replace the files in \(folder.path)", change: "chmod go-w \(folder.path)")
        }
        return .ok(check, "its owner only")
    }

    /// - Parameter mode: the permission bits of the file of signing keys.
    static func keys(mode: UInt32, path: String) -> Finding {
        let check = "signing keys"
        guard mode & 0o077 != 0 else { return .ok(check, "readable by their owner only") }
        return .failure(
            check, "others can read \(path), and sign tokens for everybody", change: "chmod 600 \(path)")
    }
}
