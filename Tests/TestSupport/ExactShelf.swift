import Fields
import PointStore

/// An unconfined shelf of uniform thickness that spreads equally in all directions, whose front stress is analytic:
/// 6 μ ε = ½ ρ g (1 − ρ/ρ_w) h, so that u = ε x, v = ε y solve all equations with a constant viscosity.
public enum ExactShelf {
    public static let thickness = 300.0
    public static let halfWidth = 40_000.0
    /// Strain rate ε [s⁻¹].
    public static let strainRate = 1e-10
    /// Viscosity [Pa s].
    public static var viscosity: Double { Constants().buoyantSpecificWeight * thickness / (12 * strainRate) }

    /// Writes a store with points of the shelf in a random order given by the seed, and with a square grid.
    public static func writeStore(
        to path: String, collocation: Int = 5000, observations: Int = 2000, cells: Int = 9, seed: UInt64 = 1
    ) throws {
        let perYear = strainRate * Constants.secondsPerYear
        let speed = perYear * halfWidth
        let grid = Grid(
            x: (0..<cells).map { -halfWidth + Double($0) * 2 * halfWidth / Double(cells - 1) },
            y: (0..<cells).map { halfWidth - Double($0) * 2 * halfWidth / Double(cells - 1) },
            projection: nil)
        let description = StoreDescription(
            counts: [.collocation: collocation, .velocity: observations, .thickness: observations, .front: 400],
            normalizations: [
                .x: Normalization(offset: 0, scale: halfWidth), .y: Normalization(offset: 0, scale: halfWidth),
                .u: Normalization(offset: 0, scale: speed), .v: Normalization(offset: 0, scale: speed),
                .h: Normalization(offset: thickness, scale: 100),
            ],
            scales: Scales(length: halfWidth, speed: speed / Constants.secondsPerYear, thickness: thickness),
            grids: [
                StoredGrid(
                    name: "velocity", grid: grid,
                    mask: [UInt8](repeating: IceMask.floatingIce.rawValue, count: cells * cells))
            ],
            gridOfSet: [.velocity: "velocity", .thickness: "velocity"], seed: seed)
        let writer = try StoreWriter(path: path, description)
        for (number, set) in PointSet.allCases.enumerated() {
            guard let count = description.counts[set] else { continue }
            func random(_ point: Int, _ salt: UInt64) -> Float {
                Float(2 * unitInterval(mixed(seed &* 31 &+ UInt64(number), UInt64(point) &* 4 &+ salt)) - 1)
            }
            var x = (0..<count).map { random($0, 0) }
            let y = (0..<count).map { random($0, 1) }
            if set == .front { x = x.map { _ in 1 } }
            let columns = set.columns.map { column -> [Float] in
                switch column {
                case .x, .u: x
                case .y, .v: y
                case .weightU, .weightV, .weightH, .weightS, .normalX: x.map { _ in 1 }
                case .h, .s, .normalY: x.map { _ in 0 }
                }
            }
            try writer.append(columns, to: set)
            if description.gridOfSet[set] != nil {
                try writer.write(
                    cells: zip(x, y).map {
                        Int32(grid.cell(containingX: Double($0) * halfWidth, y: Double($1) * halfWidth) ?? 0)
                    }, of: set)
            }
        }
        try writer.finish()
    }
}
