/// A module imports only modules below it, and adapters never import each other. `allowed` lists what each may import.
enum ImportRule {
    /// What any module may import besides.
    private static let standard: Set<String> = ["Synchronization"]
    private static let system: Set<String> = [
        "Foundation", "FoundationEssentials", "Dispatch", "Glibc", "Musl", "Darwin",
    ]
    private static let nio: Set<String> = [
        "NIOCore", "NIOPosix", "NIOHTTP1", "NIOWebSocket", "NIOConcurrencyHelpers", "NIOSSL", "NIOHTTPTypes",
        "NIOHTTPTypesHTTP1", "NIOFoundationCompat",
    ]
    private static let metrics: Set<String> = ["CoreMetrics", "Metrics"]

    /// The core knows no I/O, no clock, no logger and no Foundation.
    static let allowed: [String: Set<String>] = [
        "BatonCore": ["DequeModule"],
        "BatonProtocol": system.union(["BatonCore", "SwiftProtobuf"]),
        "BatonRedis": system.union(nio).union(["BatonCore", "CHiredis", "Crypto", "DequeModule", "Logging"]),
        "BatonStore": system.union([
            "BatonCore", "CPostgres", "DequeModule", "GRDB", "GRDBSQLite", "Logging",
        ]),
        "BatonGateway": system.union(nio).union(metrics).union([
            "BatonCore", "BatonProtocol", "Crypto", "DequeModule", "Logging", "SwiftProtobuf",
        ]),
        "BatonAPI": system.union(nio).union([
            "BatonCore", "BatonProtocol", "CArgon2", "CoreFoundation", "Crypto", "HTTPTypes", "Hummingbird", "JWTKit",
            "Logging", "SwiftProtobuf",
        ]),
        "BatonPush": system.union(nio).union(["AsyncHTTPClient", "BatonCore", "Logging"]),
        "BatonMedia": system.union(nio).union(["AsyncHTTPClient", "BatonCore", "Logging"]),
        "BatonEdge": system.union(nio).union([
            "BatonAPI", "BatonCore", "BatonGateway", "BatonProtocol", "DequeModule", "HTTPTypes", "Hummingbird",
            "HummingbirdCore",
            "Logging", "ServiceLifecycle",
        ]),
        "BatonNode": system.union(nio).union(metrics).union([
            "AsyncHTTPClient", "BatonAPI", "BatonClient", "BatonCore", "BatonEdge", "BatonGateway", "BatonMedia",
            "BatonProtocol", "BatonPush", "BatonRedis", "BatonStore", "Crypto", "DequeModule", "HTTPTypes",
            "Hummingbird", "Logging", "ServiceLifecycle", "UnixSignals", "Yams",
        ]),
        "BatonOperator": system.union(nio).union([
            "AsyncHTTPClient", "BatonAPI", "BatonClient", "BatonCore", "BatonEdge", "BatonGateway", "BatonNode",
            "BatonProtocol", "BatonRedis", "BatonStore", "HTTPTypes", "Logging",
        ]),
        "BatonClient": system.union(nio).union([
            "AsyncHTTPClient", "BatonCore", "BatonProtocol", "Crypto", "DequeModule", "Logging", "SwiftProtobuf",
        ]),
        "BatonHistory": system.union(["BatonClient", "BatonCore", "BatonProtocol", "NIOCore"]),
        "BatonBench": system.union(nio).union([
            "AsyncHTTPClient", "BatonClient", "BatonCore", "BatonProtocol", "Histogram", "Logging", "SwiftProtobuf",
        ]),
        "BatonChaos": system.union(nio).union([
            "AsyncHTTPClient", "BatonBench", "BatonClient", "BatonCore", "BatonHistory", "BatonProtocol", "DequeModule",
            "Logging", "SwiftProtobuf",
        ]),
        "BatonSimulation": system.union(nio).union([
            "BatonClient", "BatonCore", "BatonGateway", "BatonHistory", "BatonProtocol", "BatonRedis", "BatonTestKit",
            "CoreMetrics", "DequeModule", "Logging",
        ]),
        "BatonFuzz": system.union(nio).union([
            "BatonAPI", "BatonChaos", "BatonCore", "BatonEdge", "BatonGateway", "BatonHistory", "BatonProtocol",
            "BatonRedis", "BatonTestKit", "Logging", "NIOEmbedded", "SwiftProtobuf",
        ]),
        "baton-fuzz": system.union(["BatonFuzz", "CLibFuzzer"]),
        "BatonTestKit": system.union(nio).union([
            "BatonCore", "BatonProtocol", "DequeModule", "Logging", "SwiftProtobuf", "Testing",
        ]),
        "baton": system.union(nio).union([
            "ArgumentParser", "BatonBench", "BatonChaos", "BatonClient", "BatonCore", "BatonHistory", "BatonNode",
            "BatonOperator", "BatonProtocol", "BatonRedis",
            "BatonSimulation", "BatonStore", "Logging", "SwiftProtobuf", "UnixSignals",
        ]),
    ]

    static func findings(in file: SourceFile) -> [Finding] {
        guard file.path.hasPrefix("Sources/"), let module = file.module else { return [] }
        return file.code.enumerated().compactMap { number, line in
            guard let imported = Self.imported(line) else { return nil }
            guard let allowed = allowed[module] else {
                return Finding(path: file.path, line: number + 1, problem: "\(module) is in no row of the module table")
            }
            if allowed.contains(imported) || standard.contains(imported) { return nil }
            return Finding(path: file.path, line: number + 1, problem: "\(module) must not import \(imported)")
        }
    }

    /// The module that a line imports.
    static func imported(_ line: Substring) -> String? {
        var words = line.split { $0 == " " || $0 == "\t" }[...]
        let before: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
        while let word = words.first, word.hasPrefix("@") || before.contains(word) { words = words.dropFirst() }
        guard words.first == "import" else { return nil }
        words = words.dropFirst()
        let kinds: Set<Substring> = ["struct", "class", "enum", "func", "protocol", "var", "let", "typealias", "actor"]
        if let word = words.first, kinds.contains(word) { words = words.dropFirst() }
        return words.first.map { String($0.prefix { $0 != "." && $0 != ";" }) }
    }
}
