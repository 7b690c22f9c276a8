#if DEBUG
    package import BatonCore

    extension Simulation {
        /// Runs the schedule of a seed on nodes that have a bug, to prove that it would be found.
        package static func run(seed: UInt64, plantedBug: PlantedBug, isTraced: Bool = false) -> SimulationOutcome {
            Simulation(seed: seed, trace: SimulationTrace(isOn: isTraced)) { $0.plantedBug = plantedBug }.whole()
        }
    }
#endif
