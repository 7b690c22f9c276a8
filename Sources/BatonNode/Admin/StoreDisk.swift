import Foundation

/// The store's files and the disk that they are on. Zero for what cannot be told.
struct StoreDisk: Sendable {
    let path: String

    var fileBytes: Int { bytes(of: path) }
    var walBytes: Int { bytes(of: path + "-wal") }
    var freeBytes: Int { attribute(.systemFreeSize) }
    var totalBytes: Int { attribute(.systemSize) }

    private func attribute(_ key: FileAttributeKey) -> Int {
        ((try? FileManager.default.attributesOfFileSystem(forPath: path))?[key] as? NSNumber)?.intValue ?? 0
    }

    private func bytes(of path: String) -> Int {
        ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber)?.intValue ?? 0
    }
}
