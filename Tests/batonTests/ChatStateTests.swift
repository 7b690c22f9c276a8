import BatonClient
import Testing

@testable import baton

@Suite("Where a device's state is kept")
struct ChatStateTests {
    private func path(_ servers: String..., user: String = "alice", profile: String = "default") -> String? {
        ChatState(
            environment: ["HOME": "/home/a"], addresses: servers.compactMap { RelayAddress($0) }, user: user,
            profile: profile)?.path
    }

    @Test("One file for each server, user and profile")
    func files() {
        #expect(path("127.0.0.1:8080") == "/home/a/.local/state/baton/127.0.0.1_8080/alice/default.state")
        #expect(path("https://chat.example") == "/home/a/.local/state/baton/tls_chat.example_443/alice/default.state")
        #expect(path("b:1", profile: "two") == "/home/a/.local/state/baton/b_1/alice/two.state")
    }

    @Test("The order in which servers are given makes no other device")
    func order() {
        #expect(path("a:1", "b:2") == path("b:2", "a:1"))
    }

    @Test("XDG_STATE_HOME is honoured where it is absolute")
    func xdg() {
        let environment = ["HOME": "/h", "XDG_STATE_HOME": "/s"]
        let addresses = [RelayAddress(host: "a", port: 1)]
        let state = ChatState(environment: environment, addresses: addresses, user: "bob", profile: "p")
        #expect(state?.path == "/s/baton/a_1/bob/p.state")
    }

    @Test("No name leads out of the folder", arguments: ["../x", "a/b", "", ".hidden", "a\u{0}", "Ä"])
    func names(name: String) {
        #expect(path("a:1", user: name) == nil)
        #expect(path("a:1", profile: name) == nil)
    }
}
