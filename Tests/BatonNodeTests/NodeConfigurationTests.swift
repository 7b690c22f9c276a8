import BatonCore
import BatonRedis
import Foundation
import Testing

@testable import BatonNode

@Suite("A node's configuration")
struct NodeConfigurationTests {
    @Test("Nothing but defaults is the commented file in Configs")
    func defaultsAreTheCommentedFile() throws {
        let file = repository.appendingPathComponent("Configs/node.yaml")
        #expect(LoadedConfiguration().document() == (try String(contentsOf: file, encoding: .utf8)))
        let loaded = try NodeConfiguration.load(file: file.path, environment: [:], flags: [])
        #expect(loaded.configuration == NodeConfiguration())
    }

    @Test("Each key has a name of its own, in the file and in the environment, and says what it means")
    func keysAreUnique() {
        let keys = NodeConfiguration.keys
        #expect(Set(keys.map(\.name)).count == keys.count)
        #expect(Set(keys.map(\.environmentName)).count == keys.count)
        #expect(keys.allSatisfy { !$0.documentation.isEmpty && !$0.allowed.isEmpty })
        let names = keys.map(\.environmentName)
        #expect(names.contains("BATON_LISTEN_TRUSTED_PROXIES"))
        #expect(names.contains("BATON_AUTH_ARGON2_MEMORY_KI_B") == false)
        #expect(names.contains("BATON_AUTH_ARGON2_MEMORY_KIB"))
        #expect(names.contains("BATON_REDIS_TLS_CA"))
    }

    @Test("The node listens on the loopback address unless told otherwise")
    func loopbackByDefault() {
        #expect(NodeConfiguration().listen.host == "127.0.0.1")
    }

    @Test("Flags win over the environment, the environment over the file, the file over defaults")
    func precedence() throws {
        let file = try TemporaryFile("listen: {port: 1, host: '::1'}\nstore: {readers: 3}\nlog:\n  level: debug\n")
        defer { file.remove() }
        let loaded = try NodeConfiguration.load(
            file: file.path, environment: ["BATON_LISTEN_PORT": "2", "BATON_STORE_READERS": "4", "HOME": "/"],
            flags: [ConfigurationSetting(assignment: "listen.port=3")])
        #expect(loaded.configuration.listen.port == 3)
        #expect(loaded.configuration.store.readers == 4)
        #expect(loaded.configuration.listen.host == "::1")
        #expect(loaded.configuration.log.level == .debug)
        #expect(loaded.configuration.log.format == .text)
        #expect(loaded.sources["listen.port"] == .flag("--set"))
        #expect(loaded.sources["listen.host"] == .file(file.path, line: 1))
        #expect(loaded.sources["log.format"] == nil)
    }

    @Test("JSON is read like YAML")
    func json() throws {
        let file = try TemporaryFile(
            #"{"listen": {"port": 81, "allowedOrigins": ["https://a.example", "*"]}, "echo": true, "redis": {"tlsCA": null}}"#
        )
        defer { file.remove() }
        let configuration = try NodeConfiguration.load(file: file.path, environment: [:], flags: []).configuration
        #expect(configuration.listen.port == 81)
        #expect(configuration.listen.allowedOrigins == ["https://a.example", "*"])
        #expect(configuration.echo)
        #expect(configuration.redis.tlsCA == nil)
    }

    @Test("What is printed loads to the same configuration, whatever the values hold")
    func printedConfigurationLoads() throws {
        let values = [
            "listen.advertise=[::1]:9", "listen.trustedProxies=10.0.0.1, 10.0.0.2", "store.path=a \"b\" \\ #c: d",
            "store.retention=on-delivery", "auth.issuer=null", "node.name=a-1", "threads.eventLoops=2",
            "auth.keysFile=- x",
        ]
        let loaded = try NodeConfiguration.load(
            file: nil, environment: [:], flags: values.map { try ConfigurationSetting(assignment: $0) })
        let file = try TemporaryFile(loaded.document())
        defer { file.remove() }
        let again = try NodeConfiguration.load(file: file.path, environment: [:], flags: [])
        #expect(again.configuration == loaded.configuration)
        #expect(again.configuration.listen.trustedProxies == ["10.0.0.1", "10.0.0.2"])
    }

    @Test(
        "A wrong value stops the start with one line: the key, the source, what was wrong, what is allowed",
        arguments: [
            ("listen.port=65536", "listen.port, flag --set: 65536 is out of range (allowed: 0 to 65535)"),
            ("listen.port=-1", "listen.port, flag --set: -1 is out of range (allowed: 0 to 65535)"),
            ("listen.port=x", "listen.port, flag --set: 'x' is not a whole number (allowed: 0 to 65535)"),
            (
                "listen.port=99999999999999999999",
                "listen.port, flag --set: '99999999999999999999' is not a whole number (allowed: 0 to 65535)"
            ),
            ("listen.prot=1", "listen.prot, flag --set: is not a key; did you mean listen.port?"),
            ("listen=1", "listen, flag --set: is a group of keys, not a key"),
            ("log.format=xml", "log.format, flag --set: 'xml' is not one of them (allowed: text, json)"),
            ("echo=yes", "echo, flag --set: 'yes' is neither (allowed: true or false)"),
            ("store.path=", "store.path, flag --set: is empty (allowed: a path)"),
            (
                "listen.allowedOrigins=a.example",
                "listen.allowedOrigins, flag --set: 'a.example' is not an origin"
                    + " (allowed: origins such as https://chat.example, or *)"
            ),
            ("listen.port", "flag --set: is not key=value"),
            ("auth.issuer\n=1", #"auth.issuer\n, flag --set: is not a key; did you mean auth.issuer?"#),
        ])
    func wrongValues(assignment: String, line: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try NodeConfiguration.load(
                file: nil, environment: [:], flags: [ConfigurationSetting(assignment: assignment)])
        }
        #expect(error?.description == "configuration: \(line)")
    }

    @Test(
        "A wrong file is told with its line",
        arguments: [
            ("\nlisten:\n  port: x\n", ":3: 'x' is not a whole number"),
            ("listen:\n  port: [1, 2]\n", ":2: is a list where one value belongs"),
            ("listen: 1\n", ":1: is a group of keys"),
            ("log:\n  level: info\n level: x\n", ":3: did not find expected key"),
            ("log: {level: info, level: debug}\n", "has level twice"),
            ("- a\n", "is not a mapping of keys to values"),
            ("just text", "is not a mapping of keys to values"),
            ("a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}", "is nested too deeply"),
            ("listen: &x {port: 1}\nlog: *x\n", ":1: is not a key"),
        ])
    func wrongFiles(text: String, problem: String) throws {
        let file = try TemporaryFile(text)
        defer { file.remove() }
        let error = #expect(throws: ConfigurationError.self) {
            try NodeConfiguration.load(file: file.path, environment: [:], flags: [])
        }
        let line = try #require(error?.description)
        #expect(line.contains(problem))
        #expect(line.contains(file.path))
        #expect(!line.contains("\n"))
    }

    @Test("Each number is taken at the bounds that its key tells, and not beyond")
    func numbers() throws {
        var keys = 0
        for key in NodeConfiguration.keys {
            guard let match = key.allowed.wholeMatch(of: #/(\d+) to (\d+)/#), let least = Int(match.output.1),
                let most = Int(match.output.2)
            else { continue }
            keys += 1
            var configuration = NodeConfiguration()
            for number in [least, most] {
                try key.apply(.text("\(number)"), &configuration)
                #expect(key.render(configuration) == .text("\(number)"), "\(key.name)")
            }
            for number in [least - 1, most + 1] {
                #expect(throws: ConfigurationValueError.self, "\(key.name)") {
                    try key.apply(.text("\(number)"), &configuration)
                }
            }
        }
        #expect(keys > 20)
    }

    @Test("A list has so many items, and not one more")
    func listItems() throws {
        func load(_ count: Int) throws(ConfigurationError) -> NodeConfiguration {
            let items = Array(repeating: "10.0.0.1", count: count).joined(separator: ",")
            return try NodeConfiguration.load(
                file: nil, environment: [:], flags: [ConfigurationSetting(assignment: "listen.trustedProxies=\(items)")]
            ).configuration
        }
        let most = ConfigurationKey.maximumListItems
        #expect(try load(most).listen.trustedProxies.count == most)
        #expect(throws: ConfigurationError.self) { try load(most + 1) }
    }

    @Test("A file that is missing, too large or not text stops the start")
    func unreadableFiles() throws {
        let large = try TemporaryFile(String(repeating: "#", count: ConfigurationFile.maximumBytes + 1))
        let largest = try TemporaryFile(String(repeating: "#", count: ConfigurationFile.maximumBytes))
        let binary = try TemporaryFile(bytes: [0xFF, 0xFE, 0x80])
        defer { for file in [large, largest, binary] { file.remove() } }
        for path in [large.path, binary.path, "/nonexistent/node.yaml"] {
            #expect(throws: ConfigurationError.self) {
                try NodeConfiguration.load(file: path, environment: [:], flags: [])
            }
        }
        #expect(throws: Never.self) { try NodeConfiguration.load(file: largest.path, environment: [:], flags: []) }
    }

    @Test("Random bytes as a file are refused or read, and never trap")
    func randomFiles() throws {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("listen:port[]{}\"'&*#-? \n\t%@!|>,\u{0}".utf8)
        for _ in 0..<200 {
            let bytes = (0..<Int.random(in: 0..<64)).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            let file = try TemporaryFile(bytes: bytes)
            defer { file.remove() }
            do throws(ConfigurationError) {
                _ = try NodeConfiguration.load(file: file.path, environment: [:], flags: [])
            } catch {
                #expect(!error.description.contains("\n"))
            }
        }
    }

    @Test("A variable with our prefix that sets nothing stops the start; a container's service links do not")
    func unknownVariables() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try NodeConfiguration.load(file: nil, environment: ["BATON_LISTN_PORT": "1"], flags: [])
        }
        #expect(
            error?.description
                == "configuration: environment variable BATON_LISTN_PORT: sets no key; did you mean BATON_LISTEN_PORT?")
        let links = [
            "BATON_SERVICE_HOST": "10.0.0.1", "BATON_PORT": "tcp://10.0.0.1:80", "BATON_PORT_80_TCP_ADDR": "10.0.0.1",
            "BATON_SERVICE_PORT_HTTP": "80", "BATON_CONFIG": "x", "BATON_PASSWORD": "y",
        ]
        #expect(
            try NodeConfiguration.load(file: nil, environment: links, flags: []).configuration == NodeConfiguration())
    }

    @Test(
        "The password of Redis appears in no error, no printed configuration and no description",
        arguments: [
            "redis://user:s3cret@host:1/2", "redis://:s3cret@host", "redis://host:s3cret@/x", "http://u:s3cret@host",
            "redis://u:s3cret@a@host", "redis://u:s3cret@host:99999", "redis://u:s3cret@host/x", "u:s3cret@host",
            "redis://u:s3cret@host?x=1", "s3cret",
        ])
    func secrets(url: String) {
        let setting = ConfigurationSetting(
            key: "redis.url", value: .text(url), source: .environment("BATON_REDIS_URL"))
        do throws(ConfigurationError) {
            let loaded = try NodeConfiguration.load(file: nil, environment: [:], flags: [setting])
            #expect(!loaded.document().contains("s3cret"))
            #expect(!"\(loaded.configuration.redis.url)".contains("s3cret"))
            #expect(loaded.configuration.redis.url.password?.contains("s3cret") == true)
        } catch {
            #expect(!error.description.contains("s3cret"))
        }
    }

    @Test("Without a name a node takes its host's name and port, made to fit")
    func derivedNames() throws {
        var configuration = NodeConfiguration()
        #expect(configuration.nodeID(hostName: "Web_1.example.com")?.name == "web-1-8080")
        #expect(configuration.nodeID(hostName: "")?.name == "node-8080")
        let long = try #require(configuration.nodeID(hostName: String(repeating: "x", count: 99)))
        #expect(long.name.utf8.count == NodeID.maximumLength)
        #expect(configuration.nodeID(hostName: "größe")?.name == "gr--e-8080")
        configuration.node.name = NodeID("n1")
        #expect(configuration.nodeID(hostName: "x")?.name == "n1")
    }

    private var repository: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }
}

/// A file that lives as long as a test.
struct TemporaryFile {
    let path: String

    init(_ text: String) throws { try self.init(bytes: Array(text.utf8)) }

    init(bytes: [UInt8]) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("baton-\(UUID().uuidString)").path
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
