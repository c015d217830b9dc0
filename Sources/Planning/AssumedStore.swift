import Fields
import Objective
import PointStore
import Runs

extension StoreDescription {
    /// A store that does not exist yet: its counts decide size and work, its scales do not.
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

    /// Points of a chunk: a set with fewer points contributes all of them.
    public func sizes(_ stream: StreamConfiguration) -> [PointSet: Int] {
        stream.sizes.reduce(into: [:]) { $0[$1.key] = min($1.value, counts[$1.key] ?? 0) }
    }
}
