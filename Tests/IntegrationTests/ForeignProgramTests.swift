import BatonBench
import BatonChaos
import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import BatonTestKit
import Foundation
import NIOCore
import SwiftProtobuf
import Testing

/// Foreign programs on the store's file: what they cost, and what the doctor says of them.
@Suite(
    "Another program that has the store open", .serialized, .timeLimit(.minutes(4)),
    .cluster(nodes: 2, configuration: ["canary.periodSeconds=1"]))
struct ForeignProgramTests {
    private struct Account {
        let handle: String
        let tokens: WireTokens
    }

    private struct Reply {
        let status: Int
        let body: [UInt8]
    }

    private func post(
        _ path: String, _ body: some SwiftProtobuf.Message, to address: RelayAddress
    ) async throws -> Reply {
        let json = try body.jsonString()
        let raw = try await RawConnection.connect(to: try SocketAddress(ipAddress: address.host, port: address.port))
        try await raw.send(
            "POST \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(json.utf8.count)\r\n\r\n\(json)")
        // Longer than an answer's head is waited for elsewhere.
        let bytes = try await raw.untilEnd(seconds: 30)
        let end = try #require(bytes.firstRange(of: Array("\r\n\r\n".utf8)))
        let status = String(decoding: bytes, as: UTF8.self).split(separator: " ").dropFirst().first
        return Reply(status: status.flatMap { Int($0) } ?? 0, body: Array(bytes[end.upperBound...]))
    }

    private func register(_ handle: String, at address: RelayAddress) async throws -> Int {
        var account = WireNewAccount()
        account.handle = handle
        account.displayName = "Person"
        account.password = "correct horse"
        return try await post("/v1/users", account, to: address).status
    }

    private func login(_ handle: String, at address: RelayAddress) async throws -> Reply {
        var login = WireLogin()
        login.handle = handle
        login.password = "correct horse"
        login.deviceName = "test"
        login.platform = "test"
        return try await post("/v1/sessions", login, to: address)
    }

    private func join(_ address: RelayAddress) async throws -> Account {
        let handle = "p" + UUID().uuidString.replacing("-", with: "").lowercased().prefix(20)
        #expect(try await register(handle, at: address) == 201)
        let answer = try await login(handle, at: address)
        try #require(answer.status == 201, "\(String(decoding: answer.body, as: UTF8.self))")
        return Account(handle: handle, tokens: try WireTokens(jsonUTF8Bytes: answer.body))
    }

    private func diagnose(_ cluster: TestCluster) async throws -> DoctorReport {
        try await DoctorReport.of([
            "--redis", cluster.local.redisURL + "/0", "--store", cluster.local.storePath, "--set",
            "auth.keysFile=\(cluster.directory)/keys.json",
        ]).report
    }

    @Test("A held write lock refuses sends, registrations and logins of all nodes at one time, and loses nothing")
    func writeLock() async throws {
        let cluster = try #require(TestCluster.current)
        let addresses = cluster.addresses([0, 1])
        let (alice, bob) = (try await join(addresses[0]), try await join(addresses[1]))
        var sockets: [RelaySocket] = []
        for address in addresses {
            sockets.append(try await RelaySocket.greet(address, token: try await token(of: alice, at: address)).0)
        }
        let foreign = try ForeignProgram(.writing, path: cluster.local.storePath)
        let clock = ContinuousClock()
        let bounds = Duration.seconds(4.5)..<(.seconds(Limits.Store.waitSeconds) + .seconds(2))
        try await withThrowingTaskGroup { tasks in
            for (number, address) in addresses.enumerated() {
                let socket = sockets[number]
                tasks.addTask {
                    let start = clock.now
                    let status = try await register("new\(number)", at: address)
                    #expect(status == 503)
                    let waited = clock.now - start
                    #expect(bounds.contains(waited), "registration: \(waited)")
                }
                tasks.addTask {
                    // Behind others that wait already.
                    try await clock.sleep(for: .seconds(2))
                    let start = clock.now
                    let answer = try await login(bob.handle, at: address)
                    #expect(answer.status == 503)
                    let error = try WireErrorResponse(jsonUTF8Bytes: answer.body).error
                    #expect(error.code == "store_unavailable")
                    let waited = clock.now - start
                    #expect(bounds.contains(waited), "login: \(waited)")
                }
                tasks.addTask {
                    try await clock.sleep(for: .seconds(1))
                    let start = clock.now
                    try await socket.send("held", ref: "held", to: bob.tokens.user)
                    let rejected = try await socket.rejected()
                    let waited = clock.now - start
                    #expect(rejected.ref == "held" && rejected.error.code == "store_unavailable")
                    #expect(bounds.contains(waited), "send: \(waited)")
                }
            }
            tasks.addTask {
                let finding = try await diagnose(cluster)["store lock"]
                #expect(finding?.result == "failure", "\(finding as Any)")
                #expect(finding?.change?.contains("\(foreign.pid) (python3)") == true, "\(finding as Any)")
            }
            try await tasks.waitForAll()
        }
        await foreign.end()
        #expect(try await register("new0", at: addresses[0]) == 201)
        try await sockets[0].send("held", ref: "held", to: bob.tokens.user)
        let accepted = try await sockets[0].accepted()
        #expect(accepted.ref == "held" && accepted.sequence == 1)
        #expect(try await diagnose(cluster)["store lock"]?.result == "ok")
    }

    /// Of another device, which no other connection of the test displaces.
    private func token(of account: Account, at address: RelayAddress) async throws -> String {
        try WireTokens(jsonUTF8Bytes: try await login(account.handle, at: address).body).accessToken
    }

    @Test("A reader that stays lets the log grow and is named; when it is gone the log is cut off")
    func reader() async throws {
        let cluster = try #require(TestCluster.current)
        let path = cluster.local.storePath
        let foreign = try ForeignProgram(.reading, path: path)
        // More than the nodes leave there, written by another program.
        try await ForeignProgram.fill(path: path, megabytes: 96)
        for node in 0...1 {
            try await cluster.untilHealth(of: node) { $0.contains("store_log_held") && $0.contains(#""ready":true"#) }
        }
        let held = try await diagnose(cluster)["store log"]
        #expect(held?.result == "warning", "\(held as Any)")
        #expect(held?.change?.contains("\(foreign.pid) (python3)") == true, "\(held as Any)")
        let log = try String(contentsOfFile: cluster.directory + "/n1.log", encoding: .utf8).split(separator: "\n")
        #expect(log.count { $0.contains("a program reads one state of the store for long") } == 1)

        // Whoever would cut the log off stands still: the doctor knows that nobody holds it.
        for node in 0...1 { await cluster.local.signalNode(node, SIGSTOP) }
        await foreign.end()
        let large = try await diagnose(cluster)["store log"]
        #expect(large?.result == "ok" && large?.found.contains("no longer") == true, "\(large as Any)")
        for node in 0...1 { await cluster.local.signalNode(node, SIGCONT) }

        for node in 0...1 { try await cluster.untilHealth(of: node) { !$0.contains("store_log_held") } }
        let size = try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? NSNumber
        #expect(size?.intValue ?? .max <= Limits.Store.logBytes)
        #expect(try await diagnose(cluster)["store log"]?.found.contains("to be brought into the file") == true)
    }
}
