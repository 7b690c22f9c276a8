import BatonCore
import BatonRedis
import BatonStore
import Testing

@testable import BatonEdge
@testable import BatonNode
@testable import BatonOperator

@Suite("What the doctor's rules say of Redis, the store and the nodes")
struct DoctorRuleTests {
    private typealias Result = Diagnosis.Result

    @Test("A replica is no Redis to write to")
    func role() {
        #expect(DoctorRules.redisRole(RedisInfo("role:master\r\n")).result == .ok)
        let replica = DoctorRules.redisRole(RedisInfo("role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6380\r\n"))
        #expect(replica.result == .failure)
        #expect(replica.change?.contains("10.0.0.1:6380") == true)
        #expect(DoctorRules.redisRole(RedisInfo("")).result == .warning)
    }

    @Test(
        "A Redis that asks for nothing is told of",
        arguments: [
            ("redis://127.0.0.1:6379", Diagnosis.Result.warning), ("redis://:p@10.0.0.1", .ok), ("unix:///r.sock", .ok),
        ])
    func access(url: String, result: Diagnosis.Result) throws {
        let finding = DoctorRules.redisAccess(try RedisURL(url))
        #expect(finding.result == result && (finding.change != nil) == (result == .warning))
    }

    @Test("Snapshots are worth nothing, and hurt where a failed one stops all writes")
    func snapshots() {
        let (good, bad) = (RedisInfo("rdb_last_bgsave_status:ok"), RedisInfo("rdb_last_bgsave_status:err"))
        #expect(DoctorRules.snapshots(save: "", stopsWrites: true, info: good).result == .ok)
        let harmless = DoctorRules.snapshots(save: "3600 1", stopsWrites: false, info: bad)
        #expect(harmless.result == .warning && harmless.change == #"redis.conf: save """#)
        let waiting = DoctorRules.snapshots(save: "3600 1", stopsWrites: true, info: good)
        #expect(waiting.result == .warning && waiting.change?.contains("stop-writes-on-bgsave-error no") == true)
        #expect(DoctorRules.snapshots(save: "", stopsWrites: true, info: bad).result == .failure)
    }

    @Test(
        "An append-only file is not needed, and one that is synced each time stalls the hints",
        arguments: [
            (false, "always", Diagnosis.Result.ok), (true, "no", .warning), (true, "everysec", .warning),
            (true, "always", .failure),
        ])
    func appendOnly(isOn: Bool, fsync: String, result: Diagnosis.Result) {
        let finding = DoctorRules.appendOnly(isOn: isOn, fsync: fsync)
        #expect(finding.result == result)
        #expect(finding.change == (isOn ? "redis.conf: appendonly no" : nil))
    }

    @Test("Memory and clients near their bounds are told")
    func room() {
        let info = RedisInfo("used_memory:900\nmaxmemory:1000\nconnected_clients:80\n")
        #expect(DoctorRules.memoryUse(info)?.result == .ok)
        #expect(DoctorRules.memoryUse(RedisInfo("used_memory:901\nmaxmemory:1000"))?.result == .warning)
        #expect(DoctorRules.memoryUse(RedisInfo("used_memory:901\nmaxmemory:0")) == nil)
        #expect(DoctorRules.clients(info, maximum: 100)?.result == .ok)
        #expect(DoctorRules.clients(info, maximum: 99)?.change == "redis.conf: maxclients 320")
        #expect(DoctorRules.clients(RedisInfo("x"), maximum: 1) == nil)
    }

    @Test(
        "The store belongs on a disk of this host",
        arguments: [
            ("ext4", Diagnosis.Result.ok), ("xfs", .ok), ("nfs4", .failure), ("cifs", .failure),
            ("fuse.sshfs", .failure), ("tmpfs", .warning), ("overlay", .warning),
        ])
    func fileSystem(type: String, result: Diagnosis.Result) {
        let finding = DoctorRules.fileSystem(type, folder: "/data")
        #expect(finding.result == result && (finding.change == nil) == (result == .ok))
    }

    @Test("A folder is on the file system of the nearest mount point above it, the last that was mounted there")
    func mounts() {
        let mounts = """
            overlay / overlay rw 0 0
            tmpfs /run tmpfs rw 0 0
            /dev/sda1 /data ext4 rw 0 0
            host:/x /data/far nfs4 rw 0 0
            tmpfs /data/far tmpfs rw 0 0
            bad
            """
        func type(_ folder: String) -> String? { DoctorRules.fileSystemType(of: folder, mounts: mounts) }
        #expect(type("/") == "overlay" && type("/runner") == "overlay")
        #expect(type("/run/x") == "tmpfs" && type("/data") == "ext4" && type("/data/near") == "ext4")
        #expect(type("/data/far/x") == "tmpfs")
        #expect(DoctorRules.fileSystemType(of: "/x", mounts: "") == nil)
    }

    @Test("A log that checkpoints cannot empty, and nodes that were killed, are told")
    func store() {
        let large = Int64(Limits.Store.logBytes) + 1
        #expect(DoctorRules.wal(large - 1, readers: ["7 (python3)"], isRunning: true).result == .ok)
        let held = DoctorRules.wal(large, readers: ["7 (python3)", "9"], isRunning: true)
        #expect(held.result == .warning && held.change?.hasPrefix("end process 7 (python3), 9") == true)
        let shrinking = DoctorRules.wal(large, readers: [], isRunning: true)
        #expect(shrinking.result == .ok && shrinking.found.contains("a node cuts it off"))
        #expect(DoctorRules.wal(large, readers: [], isRunning: false).found.contains("the next node"))
        #expect(DoctorRules.writer(nil).result == .ok)
        #expect(DoctorRules.writer("7 (python3)").change?.hasPrefix("end process 7 (python3)") == true)
        #expect(DoctorRules.lastStop(.running).result == .ok)
        #expect(DoctorRules.lastStop(.clean).result == .ok)
        #expect(DoctorRules.lastStop(.unclean).result == .warning)
        #expect(DoctorRules.keys(mode: 0o100600, path: "k").result == .ok)
        #expect(DoctorRules.keys(mode: 0o100640, path: "k").change == "chmod 600 k")
    }

    @Test("An upgrade is finished once older nodes are no longer admitted")
    func upgrade() {
        func result(newest: Int, oldest: Int) -> Result {
            DoctorRules.upgrade(StoreInspector.Releases(newest: newest, oldest: oldest, own: 3)).result
        }
        #expect(result(newest: 3, oldest: 3) == .ok)
        #expect(result(newest: 3, oldest: 2) == .warning)
        #expect(result(newest: 2, oldest: 2) == .ok)
        #expect(result(newest: 4, oldest: 3) == .warning)
    }

    @Test("Who could read or change the store is named, with what to run")
    func access() {
        func file(_ path: String, _ mode: UInt32) -> DoctorRules.Access {
            DoctorRules.Access(path: path, mode: mode, group: "staff")
        }
        let folder = file("/d", 0o755)
        #expect(DoctorRules.access(to: [file("/d/a", 0o600), file("/d/t", 0o700)], folder: folder).result == .ok)
        #expect(DoctorRules.access(to: [], folder: nil).result == .ok)
        let finding = DoctorRules.access(
            to: [file("/d/a", 0o644), file("/d/a-wal", 0o640), file("/d/a-shm", 0o600), file("/d/t", 0o711)],
            folder: folder)
        #expect(finding.result == .failure)
        #expect(
            finding.found
                == "everybody on this host can read /d/a; group staff can read /d/a-wal: messages and hashes of passwords"
        )
        #expect(finding.change == "chmod go-rwx /d/a /d/a-wal")
        let writable = DoctorRules.access(to: [file("/d/a", 0o602)], folder: folder)
        #expect(writable.found.hasPrefix("everybody on this host can read or change /d/a"))
        let open = DoctorRules.access(to: [], folder: file("/d", 0o775))
        #expect(open.found == "group staff can replace the files in /d" && open.change == "chmod go-w /d")
        #expect(DoctorRules.access(to: [], folder: file("/tmp", 0o1777)).result == .ok)
    }

    @Test("Clocks of nodes may be a second or two apart, which is what a date of whole seconds shows")
    func clocks() {
        func reading(_ node: String, _ ahead: Int64) -> DoctorRules.ClockReading {
            // Asked at 100.2 s, answered at 100.3 s; the date is cut to its second.
            .init(node: node, date: (100_250 + ahead) / 1_000 * 1_000, asked: 100_200, answered: 100_300)
        }
        #expect(DoctorRules.clocks([]) == nil)
        #expect(DoctorRules.clocks([reading("a", 0)])?.result == .ok)
        #expect(DoctorRules.clocks([reading("a", 0), reading("b", 2_000)])?.result == .ok)
        let apart = DoctorRules.clocks([reading("a", 0), reading("b", 5_000), reading("c", -2_000)])
        #expect(apart?.result == .warning && apart?.found.hasPrefix("b is") == true)
        #expect(apart?.found.hasSuffix("ahead of c") == true)
        #expect(DoctorRules.clocks([reading("a", 0), reading("b", -60_000)])?.result == .failure)
    }

    @Test("Dates are read as they are written")
    func dates() {
        #expect(HTTPDate.secondsSinceEpoch("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
        for seconds in [0, 951_782_400, 1_795_252_442] {
            #expect(HTTPDate.secondsSinceEpoch(HTTPDate.text(secondsSinceEpoch: seconds)) == Int64(seconds))
        }
        for text in [
            "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 6 Nov 1994 08:49 GMT",
        ] {
            #expect(HTTPDate.secondsSinceEpoch(text) == nil, "\(text)")
        }
    }

    @Test("What a node says of itself, and its limit of files, become findings")
    func nodes() {
        #expect(DoctorRules.node("n1", address: "a:1", isReady: true, reasons: []).result == .ok)
        #expect(DoctorRules.node("n1", address: "a:1", isReady: true, reasons: ["x"]).found == "degraded: x")
        #expect(DoctorRules.node("n1", address: "a:1", isReady: false, reasons: ["x"]).result == .failure)
        #expect(DoctorRules.unreachable("n1", address: "0.0.0.0:1").change?.hasPrefix("listen.advertise") == true)
        func limits(_ soft: String) -> String {
            "Limit        Soft Limit Hard Limit Units\nMax open files            \(soft)       2048     files\n"
        }
        let wanted = OpenFiles.Shares(sockets: 1_000, plain: 100, reserve: 10)
        func result(_ soft: String) -> Diagnosis.Result? {
            DoctorRules.openFiles(ofNode: "n1", limits: limits(soft), for: wanted)?.result
        }
        #expect(result("1238") == .ok && result("1237") == .warning && result("unlimited") == .ok)
        #expect(DoctorRules.openFiles(ofNode: "n1", limits: "nothing", for: wanted) == nil)
        #expect(DoctorRules.backlog(somaxconn: 4_096, wanted: 4_096).result == .ok)
        #expect(DoctorRules.backlog(somaxconn: 128, wanted: 4_096).change == "sysctl net.core.somaxconn=4096")
    }
}
