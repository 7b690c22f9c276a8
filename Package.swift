// swift-tools-version:6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

// One line for each product of another package, so that the table of modules below stays short.
let collections: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket: Target.Dependency = .product(name: "NIOWebSocket", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(name: "HummingbirdTesting", package: "hummingbird")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1: Target.Dependency = .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let jwtKit: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let coreMetrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
    name: "baton",
    products: [
        .executable(name: "baton", targets: ["baton"]),
        .library(name: "BatonClient", targets: ["BatonClient"]),
        .library(name: "BatonFaultShim", type: .dynamic, targets: ["BatonFaultShim"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // Imports go downwards only; Tests/TidyTests holds the table that says so.
        .target(name: "BatonCore", dependencies: [collections], swiftSettings: settings),
        .target(
            name: "BatonProtocol", dependencies: ["BatonCore", protobuf],
            exclude: ["relay.proto", "Generated/relay.proto.sha256"],
            resources: [.embedInCode("Generated/relay.binpb")], swiftSettings: settings),
        .systemLibrary(name: "CHiredis", pkgConfig: "hiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .target(
            name: "BatonRedis",
            dependencies: ["BatonCore", "CHiredis", nioCore, nioPosix, nioSSL, crypto, logging],
            resources: [.embedInCode("Scripts")], swiftSettings: settings),
        .target(
            name: "BatonStore", dependencies: ["BatonCore", collections, grdb, sqlite, logging],
            swiftSettings: settings),
        .target(
            name: "BatonGateway",
            dependencies: [
                "BatonCore", "BatonProtocol", nioCore, nioPosix, nioHTTP1, crypto, logging, metrics, coreMetrics,
            ], swiftSettings: settings),
        .target(
            name: "BatonAPI",
            dependencies: [
                "BatonCore", "BatonProtocol", "CArgon2", hummingbird, httpTypes, jwtKit, crypto, protobuf, nioCore,
                nioPosix,
                logging,
            ], swiftSettings: settings),
        .target(
            name: "BatonEdge",
            dependencies: [
                "BatonCore", "BatonProtocol", "BatonGateway", "BatonAPI", collections, hummingbird, hummingbirdCore,
                httpTypes,
                nioHTTPTypes, nioHTTPTypesHTTP1, nioCore, nioPosix, nioHTTP1, logging, lifecycle,
            ], swiftSettings: settings),
        .target(
            name: "BatonNode",
            dependencies: [
                "BatonCore", "BatonProtocol", "BatonRedis", "BatonStore", "BatonGateway", "BatonAPI", "BatonEdge",
                "BatonClient", hummingbird, httpTypes, httpClient, nioCore, nioPosix, nioHTTP1, crypto, yams, logging,
                metrics, coreMetrics, lifecycle,
            ], resources: [.embedInCode("Admin/Page")], swiftSettings: settings),
        .target(
            name: "BatonOperator",
            dependencies: [
                "BatonCore", "BatonProtocol", "BatonRedis", "BatonStore", "BatonGateway", "BatonAPI", "BatonEdge",
                "BatonClient", "BatonNode", httpTypes, httpClient, nioCore, nioPosix, nioHTTP1, logging,
            ], swiftSettings: settings),
        .target(
            name: "BatonClient",
            dependencies: [
                "BatonCore", "BatonProtocol", collections, nioCore, nioPosix, nioHTTP1, nioSSL, httpClient, protobuf,
                crypto, logging,
            ], swiftSettings: settings),
        .target(
            name: "BatonHistory", dependencies: ["BatonClient", "BatonCore", "BatonProtocol", nioCore],
            swiftSettings: settings),
        .target(
            name: "BatonBench",
            dependencies: [
                "BatonClient", "BatonCore", "BatonProtocol", nioCore, nioPosix, nioHTTP1, httpClient, histogram,
                logging,
            ], swiftSettings: settings),
        .target(
            name: "BatonChaos",
            dependencies: [
                "BatonHistory", "BatonBench", "BatonClient", "BatonCore", "BatonProtocol", collections, nioCore,
                nioPosix, nioHTTP1, httpClient, logging,
            ], swiftSettings: settings),
        // Chaos runs load this library into nodes. No target links it.
        .target(name: "BatonFaultShim", cSettings: [.treatAllWarnings(as: .error)]),
        .target(
            name: "BatonTestKit",
            dependencies: ["BatonCore", "BatonProtocol", logging, nioCore, nioPosix],
            swiftSettings: settings),
        .target(
            name: "BatonSimulation",
            dependencies: [
                "BatonCore", "BatonProtocol", "BatonRedis", "BatonGateway", "BatonClient", "BatonHistory",
                "BatonTestKit",
                collections, nioCore, coreMetrics, logging,
            ], swiftSettings: settings),
        .target(
            name: "BatonFuzz",
            dependencies: [
                "BatonCore", "BatonProtocol", "BatonRedis", "BatonGateway", "BatonAPI", "BatonEdge", "BatonHistory",
                "BatonChaos",
                "BatonTestKit", nioCore, nioEmbedded, nioHTTP1, protobuf, logging,
            ], swiftSettings: settings),
        .executableTarget(
            name: "baton",
            dependencies: [
                "BatonNode", "BatonOperator", "BatonClient", "BatonHistory", "BatonBench", "BatonChaos",
                "BatonSimulation", "BatonCore", "BatonProtocol", "BatonRedis",
                argumentParser, logging,
                nioCore, nioPosix, signals,
            ], swiftSettings: settings),
        .testTarget(name: "BatonCoreTests", dependencies: ["BatonCore", "BatonTestKit"], swiftSettings: settings),
        .testTarget(
            name: "BatonProtocolTests", dependencies: ["BatonProtocol", "BatonTestKit"], swiftSettings: settings),
        .testTarget(
            name: "BatonRedisTests", dependencies: ["BatonRedis", "BatonTestKit", nioEmbedded],
            swiftSettings: settings),
        // A process that writes to a store until it is killed, for the tests of BatonStore.
        .executableTarget(
            name: "store-writer", dependencies: ["BatonStore", logging], path: "Tests/StoreWriter",
            swiftSettings: settings),
        .testTarget(
            name: "BatonStoreTests",
            dependencies: ["BatonStore", "BatonChaos", "BatonTestKit", "store-writer", grdb, sqlite, logging],
            swiftSettings: settings),
        // Counts what the tests allocate: a malloc of the test program's own.
        .target(name: "CAllocations", path: "Tests/CAllocations", cSettings: [.treatAllWarnings(as: .error)]),
        .testTarget(
            name: "BatonGatewayTests", dependencies: ["BatonGateway", "BatonTestKit", "CAllocations", nioEmbedded],
            swiftSettings: settings),
        .testTarget(
            name: "BatonAPITests",
            dependencies: [
                "BatonAPI", "BatonTestKit", hummingbird, httpTypes, jwtKit, crypto, protobuf, nioCore, logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "BatonNodeTests",
            dependencies: [
                "BatonNode", "BatonTestKit", hummingbird, hummingbirdTesting, httpClient, nioCore, nioPosix, nioHTTP1,
                nioEmbedded, crypto, yams,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "BatonEdgeTests",
            dependencies: [
                "BatonEdge", "BatonTestKit", hummingbird, httpClient, nioCore, nioPosix, nioHTTP1, nioEmbedded,
            ], swiftSettings: settings),
        .testTarget(
            name: "BatonOperatorTests",
            dependencies: ["BatonOperator", "BatonNode", "BatonTestKit", hummingbird, nioCore, nioPosix, nioHTTP1],
            swiftSettings: settings),
        .testTarget(
            name: "BatonClientTests",
            dependencies: [
                "BatonClient", "BatonTestKit", nioEmbedded, nioPosix, nioHTTP1, nioWebSocket, httpClient,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "BatonHistoryTests", dependencies: ["BatonHistory", "BatonTestKit"], swiftSettings: settings),
        .testTarget(name: "BatonBenchTests", dependencies: ["BatonBench", "BatonTestKit"], swiftSettings: settings),
        .testTarget(
            name: "BatonChaosTests", dependencies: ["BatonChaos", "BatonHistory", "BatonTestKit"],
            swiftSettings: settings),
        .testTarget(
            name: "BatonSimulationTests", dependencies: ["BatonSimulation", "baton"], swiftSettings: settings),
        .testTarget(
            name: "BatonFuzzTests", dependencies: ["BatonFuzz"], exclude: ["Corpora", "words.dict"],
            swiftSettings: settings),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "BatonTestKit", "BatonClient", "BatonHistory", "BatonBench", "BatonChaos", "BatonCore", "BatonProtocol",
                "baton", nioCore, nioPosix, protobuf, logging,
            ], swiftSettings: settings),
        .testTarget(
            name: "batonTests",
            dependencies: [
                "baton", "BatonNode", "BatonOperator", "BatonClient", "BatonCore", "BatonProtocol", "BatonTestKit",
            ],
            swiftSettings: settings),
        .testTarget(name: "TidyTests", dependencies: ["BatonTestKit"], swiftSettings: settings),
    ]
)

// The fuzzer needs its runtime, which `-sanitize=fuzzer` links: only ops/fuzz asks for it.
if Context.environment["BATON_FUZZ"] != nil {
    package.targets.append(contentsOf: [
        .systemLibrary(name: "CLibFuzzer"),
        .executableTarget(
            name: "baton-fuzz", dependencies: ["BatonFuzz", "CLibFuzzer"], swiftSettings: settings,
            // gold, which is the default on Linux, fails on the instrumented objects ("internal error").
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]),
    ])
    package.products.append(.executable(name: "baton-fuzz", targets: ["baton-fuzz"]))
}
