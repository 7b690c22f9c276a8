#if DEBUG
    import BatonCore

    extension NodeConfiguration {
        static let plantedBugVariable = "BATON_PLANTED_BUG"

        /// The bug that a debug build is told to have. Only by the environment: it is no key, and to a release build the
        /// variable is a mistake like any other.
        static func plantedBug(_ environment: [String: String]) throws(ConfigurationError) -> PlantedBug? {
            guard let name = environment[plantedBugVariable] else { return nil }
            guard let bug = PlantedBug(rawValue: name) else {
                let bugs = PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")
                throw ConfigurationError(
                    source: .environment(plantedBugVariable), problem: "'\(name)' is no bug (allowed: \(bugs))")
            }
            return bug
        }
    }
#endif
