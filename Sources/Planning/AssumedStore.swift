import Fields
import Objective
import PointStore
import Runs

extension StoreDescription {
    /// A store that is not there yet: its counts decide size and work, its scales do not.
    public static func assumed(collocation: Int, observations: Int, front: Int) -> StoreDescription {
        let plain = Normalization(offset: 0, scale: 1)
        return StoreDescription(
            counts: [
                .collocation: collocation, .velocity: observations, .thickness: observations, .front: front,
            ],
            normalizations: [.x: plain, .y: plain, .u: plain, .v: plain, .h: plain],
            scales: Scales(length: 1, speed: 1, thickness: 1), grids: [],
            gridOfSet: [.velocity: "velocity", .thickness: "thickness"], seed: 0)
    }

    /// Points of a chunk: a set that has fewer gives all that it has.
    public func sizes(_ stream: StreamConfiguration) -> [PointSet: Int] {
        stream.sizes.reduce(into: [:]) { $0[$1.key] = min($1.value, counts[$1.key] ?? 0) }
    }
}

extension TrainingConfiguration {
    /// The loss of a run of this configuration, and so its channels, on a store.
    public func objective(for store: StoreDescription) throws -> Objective {
        .inversion(of: store, model: try model(), networks: try networks(), weights: weights, constants: constants)
    }
}
