import BatonCore
import BatonNode
import BatonStore
import Foundation

/// The store's file, and what lies beside it.
extension Doctor {
    func examineStore(_ diagnosis: inout Diagnosis) async {
        let check = "store"
        let path = configuration.store.path
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard access(folder, W_OK | X_OK) == 0 else {
            let why = String(cString: strerror(errno))
            diagnosis.findings.append(
                .failure(
                    check, "\(folder): \(why)", change: "make the folder, writable for the node, or set store.path"))
            return
        }
        if access(path, F_OK) != 0 {
            diagnosis.findings.append(.ok(check, "\(path) will be made by the first node"))
        } else if access(path, R_OK | W_OK) != 0 {
            let why = String(cString: strerror(errno))
            diagnosis.findings.append(.failure(check, "\(path): \(why)", change: "chown it to the node's user"))
        } else {
            await examineFile(path, &diagnosis)
        }
        examineFolder(folder, &diagnosis)
        examineAccess(folder, &diagnosis)
        let keys = configuration.auth.keysFile
        if let mode = Self.attribute(.posixPermissions, of: keys) {
            diagnosis.findings.append(DoctorRules.keys(mode: UInt32(truncatingIfNeeded: mode), path: keys))
        }
    }

    /// Which users of this machine can read the store's files.
    private func examineAccess(_ folder: String, _ diagnosis: inout Diagnosis) {
        let trace = configuration.traceDirectory
        let traces = (try? FileManager.default.contentsOfDirectory(atPath: trace)) ?? []
        let paths =
            StoreFiles.suffixes.map { configuration.store.path + $0 } + [configuration.adminTokenPath, trace]
            + traces.prefix(Limits.Trace.files).map { "\(trace)/\($0)" }
        diagnosis.findings.append(
            DoctorRules.access(to: paths.compactMap(Self.permissions), folder: Self.permissions(folder)))
    }

    private static func permissions(_ path: String) -> DoctorRules.Access? {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let mode = (attributes[.posixPermissions] as? NSNumber)?.uint32Value
        else { return nil }
        return DoctorRules.Access(
            path: path, mode: mode, group: attributes[.groupOwnerAccountName] as? String ?? "of the file")
    }

    private func examineFile(_ path: String, _ diagnosis: inout Diagnosis) async {
        let held = await locks(of: path)
        do {
            let lastStop = try StoreInspector.lastStop(path: path)
            let modes = try StoreInspector.modes(path: path)
            diagnosis.findings.append(.ok("store", path))
            diagnosis.findings.append(DoctorRules.journal(mode: modes.journal, synchronous: modes.synchronous))
            diagnosis.findings.append(DoctorRules.lastStop(lastStop))
            diagnosis.findings.append(DoctorRules.upgrade(try StoreInspector.releases(path: path)))
            diagnosis.findings.append(DoctorRules.writer(held.writer.map(Self.program)))
            if let bytes = Self.attribute(.size, of: path + "-wal") {
                let readers = Set(held.readers.map(\.pid)).sorted().map(Self.program)
                diagnosis.findings.append(
                    DoctorRules.wal(bytes, readers: readers, isRunning: lastStop == .running))
            }
        } catch {
            diagnosis.findings.append(.failure("store", "\(error)", change: "set store.path, or restore a backup"))
        }
    }

    /// The locks that somebody holds for as long as it takes to look twice. Nothing has the store open here meanwhile.
    private func locks(of path: String) async -> LogLocks {
        let first = LogLocks(path: path)
        try? await ContinuousClock().sleep(for: Self.lookInterval)
        return LogLocks(path: path).held(since: first)
    }

    private static let lookInterval = Duration.seconds(1)

    /// A process, for people.
    private static func program(_ pid: Int32) -> String {
        let name = (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8))?.filter { !$0.isNewline }
        return name.map { "\(pid) (\($0))" } ?? "\(pid)"
    }

    private func examineFolder(_ folder: String, _ diagnosis: inout Diagnosis) {
        if let mounts = try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8),
            let type = DoctorRules.fileSystemType(
                of: URL(fileURLWithPath: folder).resolvingSymlinksInPath().path, mounts: mounts)
        {
            diagnosis.findings.append(DoctorRules.fileSystem(type, folder: folder))
        }
        var space = statvfs()
        if statvfs(folder, &space) == 0 {
            let bytes = Int64(clamping: UInt64(space.f_bavail)).multipliedReportingOverflow(by: Int64(space.f_frsize))
            diagnosis.findings.append(
                DoctorRules.freeSpace(bytes.overflow ? .max : bytes.partialValue, folder: folder))
        }
    }

    private static func attribute(_ key: FileAttributeKey, of path: String) -> Int64? {
        let value = (try? FileManager.default.attributesOfItem(atPath: path))?[key]
        return (value as? NSNumber)?.int64Value
    }
}
