import BatonCore
import BatonGateway
import BatonNode
import BatonRedis
import Foundation

/// Gathers what all nodes know: the living ones are asked, and of those that do not answer, or have died, the files are
/// read that they left on this host.
struct TraceCollector: Sendable {
    /// Nil where there is no admin token: then only files are read.
    let peers: AdminPeers?
    /// Where the nodes of this host keep their files.
    let folder: String
    /// The nodes that the store's file names.
    var storePeers: [NodeLease] = []

    /// A node's life and what is left of it.
    struct Life: Sendable {
        enum Standing: Sendable {
            /// It answered.
            case live
            /// It holds a lease and does not answer: it hangs, or cannot be reached from here.
            case silent
            /// It holds no lease.
            case dead
            /// It is not known, because Redis is not reachable.
            case unknown
        }

        let node: String
        let incarnation: UInt64
        var standing: Standing
        /// Nil where nothing at all is left of it that could be read here.
        var answer: TraceAnswer?
        /// Why it did not answer.
        var problem: String?
    }

    struct Collection: Sendable {
        var lives: [Life] = []
        var isRedisReachable = true
        /// Files that could not be read.
        var problems: [String] = []
        /// What the nodes' entries named.
        var messages: Set<MessageID> = []
        var places: [UserID: Set<InboxSequence>] = [:]
    }

    /// - Parameters:
    ///   - what: a ref or a message's id.
    ///   - places: the message's places in inboxes, as far as they are known by now.
    func collect(_ what: String, _ places: [UserID: Set<InboxSequence>], leases: [NodeLease]?) async -> Collection {
        var collection = Collection()
        collection.isRedisReachable = leases != nil
        // A node that only the file names may be dead; it lives if it answers.
        for lease in leases ?? storePeers {
            collection.lives.append(
                Life(
                    node: lease.node.name, incarnation: lease.incarnation,
                    standing: leases == nil ? .unknown : .silent))
        }
        await ask(what, places, &collection)
        readFiles(what, places, &collection)
        for answer in collection.lives.compactMap(\.answer) { Self.learn(answer.entries, &collection) }
        return collection
    }

    /// Microseconds that can be reckoned with.
    private static let times: ClosedRange<Int64> = -(1 << 60)...(1 << 60)

    private func ask(_ what: String, _ places: [UserID: Set<InboxSequence>], _ collection: inout Collection) async {
        guard let peers else { return }
        for answer in await peers.ask(TraceQuery.path(what, places)).nodes {
            guard let index = collection.lives.firstIndex(where: { $0.node == answer.lease.node.name }) else {
                continue
            }
            switch answer.result {
            case .success(let data):
                guard var decoded = try? JSONDecoder().decode(TraceAnswer.self, from: data) else {
                    collection.lives[index].problem = "\(AdminClientError.malformed)"
                    continue
                }
                decoded.entries.removeAll { !Self.times.contains($0.at) }
                collection.lives[index].answer = decoded
                collection.lives[index].standing = .live
            case .failure(let error): collection.lives[index].problem = "\(error)"
            }
        }
    }

    /// A node's life may have a file for each loop. They are gone through as often as a node goes through its rings.
    private func readFiles(
        _ what: String, _ places: [UserID: Set<InboxSequence>], _ collection: inout Collection
    ) {
        var paths: [String: [String]] = [:]
        for path in TraceFile.paths(in: folder) {
            do throws(TraceFileError) {
                let header = try TraceFile.header(of: path)
                let index = collection.lives.firstIndex {
                    $0.node == header.node && $0.incarnation == header.incarnation
                }
                if let index, collection.lives[index].answer != nil { continue }
                if index == nil {
                    let standing: Life.Standing = collection.isRedisReachable ? .dead : .unknown
                    collection.lives.append(
                        Life(node: header.node, incarnation: header.incarnation, standing: standing))
                }
                paths["\(header.node).\(header.incarnation)", default: []].append(path)
            } catch {
                collection.problems.append("\(error)")
            }
        }
        for index in collection.lives.indices {
            let life = collection.lives[index]
            guard let paths = paths["\(life.node).\(life.incarnation)"] else { continue }
            do throws(TraceFileError) {
                collection.lives[index].answer = try Self.read(paths, what, places)
            } catch {
                collection.problems.append("\(error)")
            }
        }
    }

    private static func read(
        _ paths: [String], _ what: String, _ places: [UserID: Set<InboxSequence>]
    ) throws(TraceFileError) -> TraceAnswer? {
        guard var keys = TraceKeys(what) else { return nil }
        for (user, sequences) in places {
            for sequence in sequences { keys.add(sequence, of: user) }
        }
        var files: [TraceFile] = []
        for path in paths { files.append(try TraceFile(path: path)) }
        guard let first = files.first else { return nil }
        let scan = TraceScan.over(files, keys)
        var answer = TraceAnswer(
            node: first.header.node, incarnation: first.header.incarnation, isLive: false,
            at: files.map { $0.header.anchor.civil / 1_000 }.max() ?? 0, since: files.map(\.since).max() ?? 0)
        answer.entries = scan.entries
        answer.isTruncated = scan.isTruncated
        return answer
    }

    private static func learn(_ entries: [TraceEntry], _ collection: inout Collection) {
        for entry in entries {
            if let message = entry.message.flatMap({ MessageID($0) }) { collection.messages.insert(message) }
            if entry.kind == .published, let user = entry.user.flatMap({ UserID($0) }), let place = entry.inboxSequence
            {
                collection.places[user, default: []].insert(InboxSequence(rawValue: place))
            }
        }
    }
}
