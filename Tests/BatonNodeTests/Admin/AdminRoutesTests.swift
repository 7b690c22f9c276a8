import BatonAPI
import Foundation
import HTTPTypes
import Testing

@testable import BatonNode

@Suite("The routes below /admin")
struct AdminRoutesTests {
    @Test("The right token opens them", arguments: ["Bearer", "bearer"])
    func opens(_ scheme: String) async throws {
        let harness = try await AdminHarness()
        let answer = try await harness.get("/admin/status", [.authorization: "\(scheme) \(AdminHarness.token)"])
        #expect(answer.status == 200)
        #expect(answer.headers[.contentType] == "application/json")
        #expect(answer.headers[.cacheControl] == "no-store")
        #expect(answer.text.contains(#""node":"n1""#))
    }

    @Test(
        "Without the token, or with another, there is nothing but the documented error",
        arguments: [
            nil, "", "Bearer", "Bearer ", "Basic \(AdminHarness.token)", AdminHarness.token,
            "Bearer \(AdminHarness.token)x", "Bearer \(AdminHarness.token.dropLast())",
            "Bearer \(AdminHarness.token) x",
        ] as [String?])
    func refuses(_ authorization: String?) async throws {
        let harness = try await AdminHarness()
        var headers = HTTPFields()
        headers[.authorization] = authorization
        let answer = try await harness.get("/admin/status", headers)
        #expect(answer.status == 401)
        #expect(answer.text.contains(#""code":"unauthenticated""#))
        #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
        #expect(!answer.text.contains("n1"))
        #expect(harness.refusals.count == 1)
    }

    @Test("The node's own status and the cluster's can be read back")
    func readable() async throws {
        let harness = try await AdminHarness()
        let headers: HTTPFields = [.authorization: "Bearer \(AdminHarness.token)"]
        let own = try await harness.get("/admin/status", headers)
        #expect(try JSONDecoder().decode(NodeStatus.self, from: Data(own.text.utf8)) == .sample("n1"))
        let cluster = try await harness.get("/admin/cluster", headers)
        let read = try JSONDecoder().decode(ClusterStatus.self, from: Data(cluster.text.utf8))
        #expect(read.nodes.map(\.node) == ["n1"])
        #expect(read.redis == nil)
    }

    @Test("The doctor gets a token of a user who is nobody, the same one each time, and only with the admin's")
    func doctor() async throws {
        let harness = try await AdminHarness()
        #expect(try await harness.ask(.post, "/admin/doctor").status == 401)
        let headers: HTTPFields = [.authorization: "Bearer \(AdminHarness.token)"]
        var devices: Set<String> = []
        for _ in 0..<2 {
            let answer = try await harness.ask(.post, "/admin/doctor", headers)
            #expect(answer.status == 200 && answer.headers[.cacheControl] == "no-store")
            let issued = try JSONDecoder().decode(DoctorRoute.Answer.self, from: Data(answer.text.utf8))
            #expect(issued.lifetimeSeconds > 60 && issued.accessToken.split(separator: ".").count == 3)
            devices.insert(issued.user + issued.device)
        }
        #expect(devices.count == 1)
        #expect(try await harness.get("/admin/doctor", headers).status != 200)
    }

    @Test("A token in the URL opens nothing")
    func notInURLs() async throws {
        let harness = try await AdminHarness()
        #expect(try await harness.get("/admin/status?token=\(AdminHarness.token)").status == 401)
        #expect(try await harness.get("/admin/status?access_token=\(AdminHarness.token)").status == 401)
    }

    @Test("Two tokens in one request are one too many")
    func twoHeaders() async throws {
        let harness = try await AdminHarness()
        var headers = HTTPFields()
        headers.append(HTTPField(name: .authorization, value: "Bearer \(AdminHarness.token)"))
        headers.append(HTTPField(name: .authorization, value: "Bearer \(AdminHarness.token)"))
        #expect(try await harness.get("/admin/status", headers).status == 401)
    }

    @Test("Wrong tokens of an address are limited at the bound; neither others nor the right one suffer")
    func limits() async throws {
        let harness = try await AdminHarness()
        let wrong: HTTPFields = [.authorization: "Bearer " + String(repeating: "w", count: 43)]
        for _ in 0..<AdminGate.attempts.capacity {
            #expect(try await harness.get("/admin/status", wrong).status == 401)
        }
        let limited = try await harness.get("/admin/status", wrong)
        #expect(limited.status == 429)
        #expect(limited.headers[.retryAfter] == "30")
        #expect(try await harness.get("/admin/status", wrong, from: "192.0.2.9").status == 401)
        let right: HTTPFields = [.authorization: "Bearer \(AdminHarness.token)"]
        #expect(try await harness.get("/admin/status", right).status == 200)
    }

    @Test("Requests without a token cost no attempts")
    func missingIsFree() async throws {
        let harness = try await AdminHarness()
        for _ in 0..<(2 * AdminGate.attempts.capacity) {
            #expect(try await harness.get("/admin/status").status == 401)
        }
        #expect(Set(harness.refusals) == ["admin_missing"])
    }
}
