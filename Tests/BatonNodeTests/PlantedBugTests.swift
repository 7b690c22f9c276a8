#if DEBUG
    import BatonCore
    import Testing

    @testable import BatonNode

    @Suite("The planted bug of a node")
    struct PlantedBugTests {
        @Test("It comes from the environment alone, and by its name", arguments: PlantedBug.allCases)
        func named(bug: PlantedBug) throws {
            let environment = ["BATON_PLANTED_BUG": bug.rawValue]
            let loaded = try NodeConfiguration.load(file: nil, environment: environment, flags: [])
            #expect(loaded.configuration.plantedBug == bug)
            #expect(NodeConfiguration().plantedBug == nil)
        }

        @Test("A bug that there is not stops the start")
        func unknown() {
            let error = #expect(throws: ConfigurationError.self) {
                try NodeConfiguration.load(file: nil, environment: ["BATON_PLANTED_BUG": "none"], flags: [])
            }
            #expect(error?.description.contains("BATON_PLANTED_BUG: 'none' is no bug") == true)
        }
    }
#endif
