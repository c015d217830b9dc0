import Fields
import NetCDFFiles
import TestSupport
import Testing

extension ProductFileTests {
    /// Checks of the files by differences on their own grids, independent of the solver that made them.
    @Suite("The bundled fields")
    struct BundledFieldsTests {
        private let constants = Constants()
        private let columns: Int
        private let x: [Double]
        private let y: [Double]
        private let u: [Double]
        private let v: [Double]
        private let mu: [Double]
        private let h: [Double]

        /// Velocity [m s⁻¹], viscosity and thickness on the velocity grid; NaN off the shelf.
        init() throws {
            let velocity = try NetCDFFile(reading: Places.sample("sample_velocity_measures.nc"))
            let bed = try NetCDFFile(reading: Places.sample("sample_bedmachine_v2.nc"))
            let truth = try NetCDFFile(reading: Places.sample("sample_truth.nc"))
            let x: [Double] = try velocity.requireVariable("x").read()
            let y: [Double] = try velocity.requireVariable("y").read()
            (self.x, self.y, columns) = (x, y, x.count)
            u = try velocity.requireVariable("VX").read(as: Double.self).map { $0 / Constants.secondsPerYear }
            v = try velocity.requireVariable("VY").read(as: Double.self).map { $0 / Constants.secondsPerYear }
            mu = try truth.requireVariable("viscosity").read()
            let thickness = CubicGrid(
                x: try bed.requireVariable("x").read(), y: try bed.requireVariable("y").read(),
                values: try bed.requireVariable("thickness").read().map { $0 > 0 ? $0 : .nan })
            h = y.flatMap { y in x.map { x in thickness(x, y) } }
        }

        /// Derivatives by differences of fourth order; NaN where a cell of the stencil is NaN.
        private func dx(_ f: [Double]) -> [Double] { difference(f, step: 1, spacing: 450) }
        private func dy(_ f: [Double]) -> [Double] { difference(f, step: -columns, spacing: 450) }

        private func difference(_ f: [Double], step: Int, spacing: Double) -> [Double] {
            f.indices.map { i in
                guard f.indices.contains(i - 2 * step), f.indices.contains(i + 2 * step) else { return .nan }
                return (f[i - 2 * step] - 8 * f[i - step] + 8 * f[i + step] - f[i + 2 * step]) / (12 * spacing)
            }
        }

        @Test("satisfy the shallow-shelf equations away from the boundaries")
        func residual() {
            let (ux, uy, vx, vy) = (dx(u), dy(u), dx(v), dy(v))
            let stress = { (f: (Int) -> Double) in u.indices.map(f) }
            let nxx = stress { 2 * mu[$0] * h[$0] * (2 * ux[$0] + vy[$0]) }
            let nyy = stress { 2 * mu[$0] * h[$0] * (ux[$0] + 2 * vy[$0]) }
            let nxy = stress { mu[$0] * h[$0] * (uy[$0] + vx[$0]) }
            let pressure = h.map { constants.buoyantSpecificWeight * $0 * $0 / 2 }
            let terms = (dx(nxx), dy(nxy), dx(nxy), dy(nyy), dx(pressure), dy(pressure))
            var (residual, driving, count) = (0.0, 0.0, 0)
            for i in u.indices {
                let e1 = terms.0[i] + terms.1[i] - terms.4[i]
                let e2 = terms.2[i] + terms.3[i] - terms.5[i]
                guard (e1 + e2).isFinite, isFarFromBoundary(i) else { continue }
                residual += e1 * e1 + e2 * e2
                driving += terms.4[i] * terms.4[i] + terms.5[i] * terms.5[i]
                count += 1
            }
            #expect(count > 10_000)
            let relative = (residual / driving).squareRoot()
            // Differences over 450 m of float32 values across margins that are 6 km wide.
            #expect(relative < 1e-3, "residual \(relative) of the driving stress")
        }

        /// At least 10 cells (4.5 km) away from the edge of the shelf: stresses are unbounded in the corners of the front.
        private func isFarFromBoundary(_ index: Int) -> Bool {
            let (column, row) = (index % columns, index / columns)
            for (a, b) in [(10, 0), (-10, 0), (0, 10), (0, -10), (7, 7), (7, -7), (-7, 7), (-7, -7)] {
                guard (0..<columns).contains(column + a), (0..<y.count).contains(row + b),
                    u[(row + b) * columns + column + a].isFinite
                else { return false }
            }
            return true
        }

        @Test("have the speeds and viscosities of a real shelf")
        func plausible() {
            let speeds = zip(u, v).map { ($0 * $0 + $1 * $1).squareRoot() * Constants.secondsPerYear }.filter {
                !$0.isNaN
            }
            #expect(speeds.allSatisfy { $0 > 90 && $0 < 1_200 })
            let known = mu.filter { !$0.isNaN }
            #expect(known.count == speeds.count)
            #expect(known.allSatisfy { $0 > 2e13 && $0 < 2e14 })
        }
    }
}

/// Cubic interpolation on a grid of cells, NaN next to missing ones; the kinks of linear interpolation would be 2 % of the slope.
private struct CubicGrid {
    let x: [Double]
    let y: [Double]
    let values: [Double]

    func callAsFunction(_ px: Double, _ py: Double) -> Double {
        let (i, wx) = stencil((px - x[0]) / (x[1] - x[0]), count: x.count)
        let (j, wy) = stencil((py - y[0]) / (y[1] - y[0]), count: y.count)
        var sum = 0.0
        for b in 0..<4 { for a in 0..<4 { sum += wx[a] * wy[b] * values[(j + b) * x.count + i + a] } }
        return sum
    }

    private func stencil(_ index: Double, count: Int) -> (Int, SIMD4<Double>) {
        let first = min(max(Int(index.rounded(.down)) - 1, 0), count - 4)
        let t = index - Double(first)
        let (a, b, c, d) = (t, t - 1, t - 2, t - 3)
        return (first, SIMD4(-b * c * d / 6, a * c * d / 2, -a * b * d / 2, a * b * c / 6))
    }
}
