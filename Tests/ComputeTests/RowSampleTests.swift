import Compute
import ComputeCPU
import Fields
import Foundation
import Objective
import PointStore
import TestSupport
import Testing

@Suite("Rows that stand for the points of an iteration")
struct RowSampleTests {
    /// A grid of cells with columns x, y, value and weight, in a shuffled order.
    private static func cells(_ side: Int) -> [FloatColumn] {
        let order = (0..<side * side).sorted { mixed(5, UInt64($0)) < mixed(5, UInt64($1)) }
        let place = { (k: Int) in Float(k) / Float(side - 1) * 2 - 1 }
        return [
            FloatColumn(order.map { place($0 % side) }), FloatColumn(order.map { place($0 / side) }),
            FloatColumn(order.map { Float($0) }), FloatColumn(order.map { _ in 1 }),
        ]
    }

    @Test("runs of the order along the curve are compact, and every point is in it once")
    func order() {
        let columns = Self.cells(64)
        for seed in 0..<5 {
            let order = HilbertOrder.sorted(columns[0], columns[1], seed: UInt64(seed))
            #expect(order.sorted() == Array(0..<4096))
            // A square of 16 cells has a diagonal of 0.13; a run of a row would be half as long as the box.
            let spans = stride(from: 0, to: 4096, by: 16).map { start -> Float in
                let (xs, ys) = (
                    order[start..<start + 16].map { columns[0][$0] }, order[start..<start + 16].map { columns[1][$0] }
                )
                return max(xs.max()! - xs.min()!, ys.max()! - ys.min()!)
            }
            #expect(spans.reduce(0, +) / Float(spans.count) < 0.25)
        }
    }

    @Test("patches are cells where residuals are smooth, and large where they are noise")
    func sizes() {
        let columns = Self.cells(64)
        let noise = columns[0].indices.map { Float(unitInterval(mixed(9, UInt64($0))) - 0.5) }
        let smooth = columns[0].indices.map { columns[0][$0] * columns[1][$0] }
        func size(_ signal: Float, _ share: Float) -> Int {
            let residuals = zip(smooth, noise).map { signal * $0 + share * $1 }
            return ObservationPatches(columns, outputs: [residuals], count: 100, seed: 3).size
        }
        #expect(size(1, 0) == 1)
        #expect(size(0, 1) > 60)
        // Mean squares 1/9 and 1/12 of their factors: as much noise as signal asks for four.
        #expect((3...5).contains(size(1, 1.1547)))
    }

    @Test("a patch's centre and cells are those of its neighbours")
    func centres() {
        let columns = Self.cells(32)
        let noise = columns[0].indices.map { Float(unitInterval(mixed(9, UInt64($0))) - 0.5) }
        let patches = ObservationPatches(columns, outputs: [noise], count: 8, seed: 3)
        #expect(patches.centers[0].count * patches.size == patches.cells[0].count)
        for (number, x) in Array(patches.centers[0].indices).map({ ($0, patches.centers[0][$0]) }) {
            let cells = (number * patches.size..<(number + 1) * patches.size).map { patches.cells[0][$0] }
            #expect(abs(cells.reduce(0, +) / Float(cells.count) - x) < 1e-5)
        }
    }

    @Test(
        "the Jacobian of the rows is the derivative of their residuals, and their loss that of the points",
        arguments: ["shallow-shelf", "anisotropic"])
    func derivative(physics: String) throws {
        let inversion = try Inversion(physics: physics, collocation: 300, others: 200)
        let backend = CPUBackend(inversion.objective.residualProblem, threads: 2)
        let (objective, chunk, parameters) = (inversion.objective, inversion.chunk, inversion.parameters)
        let outputs = try objective.outputs(backend, parameters: parameters, chunk: chunk)
        // As many rows as there are: every point is one.
        let all = objective.rowSample(of: chunk, outputs: outputs, rows: 100_000, seed: 1)
        var gradient: [Float] = []
        let loss = try objective.evaluate(backend, parameters: parameters, chunk: chunk, gradient: &gradient)
        #expect(abs(objective.loss(of: outputs, at: chunk, factors: nil).total / loss.total - 1) < 1e-5)
        let residuals = try objective.residuals(backend, parameters: parameters, of: all, factors: nil)
        let squares = residuals.reduce(0.0) { $0 + Double($1) * Double($1) }
        #expect(squares <= loss.total * 1.00001)

        let sample = objective.rowSample(of: chunk, outputs: outputs, rows: 60, seed: 1)
        let jacobian = try objective.jacobian(backend, parameters: parameters, of: sample, factors: nil)
        let here = try objective.residuals(backend, parameters: parameters, of: sample, factors: nil)
        #expect(here.count == jacobian.rowCount && here.count <= 70)
        // Of the equations: the Jacobian of a patch is taken in its middle, its residual is a mean.
        let places = here.indices.filter { abs(here[$0] - jacobian.residuals[$0]) < 1e-5 }
        #expect(places.count >= 25)
        let direction = parameters.indices.map { Float(unitInterval(mixed(3, UInt64($0))) - 0.5) }
        let step: Float = 1e-3
        let ahead = try objective.residuals(
            backend, parameters: zip(parameters, direction).map { $0 + step * $1 }, of: sample, factors: nil)
        let behind = try objective.residuals(
            backend, parameters: zip(parameters, direction).map { $0 - step * $1 }, of: sample, factors: nil)
        let differences = places.map { Double(ahead[$0] - behind[$0]) / Double(2 * step) }
        let along = try jacobian.product(direction)
        #expect(relativeError(places.map { Double(along[$0]) }, differences) < 1e-2)
    }
}
