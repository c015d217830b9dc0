import Evaluation
import Fields
import Foundation
import NetCDFFiles
import PointStore
import TestSupport
import Testing

/// A shelf of 12 x 10 cells of 500 m, of which the outermost do not float, and truth files to compare with.
private struct Shelf {
    let folder: TemporaryFolder
    let grid = Grid(
        x: (0..<12).map { 500 * Double($0) }, y: (0..<10).map { 9000 - 500 * Double($0) }, projection: nil)

    init() throws { folder = try TemporaryFolder() }

    static func viscosity(_ x: Double, _ y: Double) -> Double { 1e14 * (1 + 1e-4 * x + 3e-5 * y) }
    static func thickness(_ x: Double, _ y: Double) -> Double { 600 - 0.02 * x + 0.01 * y }
    static func speed(_ x: Double, _ y: Double) -> Double { 0.1 * x - 250 }

    var stored: StoredGrid {
        StoredGrid(
            name: "velocity", grid: grid,
            mask: (0..<120).map {
                let isInside = (1...10).contains($0 % 12) && (1...8).contains($0 / 12)
                return (isInside ? IceMask.floatingIce : .groundedIce).rawValue
            })
    }

    struct Field {
        let name: String
        let units: String?
        let value: (Double, Double) -> Double
    }

    func write(
        _ name: String, _ fields: [Field], x: [Double]? = nil, y: [Double]? = nil,
        mapping: [(String, Attribute)] = []
    ) throws -> String {
        let (x, y) = (x ?? grid.x, y ?? grid.y)
        let file = try NetCDFFile(creating: folder.file(name))
        let rows = try file.define(dimension: "y", length: y.count)
        let columns = try file.define(dimension: "x", length: x.count)
        let axes = try [("x", columns), ("y", rows)].map { try file.define(variable: $0, .double, over: [$1]) }
        for axis in axes { try axis.setAttribute("units", .text("m")) }
        if !mapping.isEmpty {
            let variable = try file.define(variable: "crs", .int32, over: [])
            for (name, value) in mapping { try variable.setAttribute(name, value) }
        }
        let variables = try fields.map { field in
            let variable = try file.define(variable: field.name, .double, over: [rows, columns])
            if let units = field.units { try variable.setAttribute("units", .text(units)) }
            if !mapping.isEmpty { try variable.setAttribute("grid_mapping", .text("crs")) }
            return variable
        }
        try file.endDefinitions()
        for (axis, values) in zip(axes, [x, y]) { try axis.write(values) }
        for (field, variable) in zip(fields, variables) {
            try variable.write(y.flatMap { y in x.map { x in field.value(x, y) } })
        }
        try file.close()
        return folder.file(name)
    }

    /// Compares with `predict`, which gives the values of all quantities at a position.
    func errors(
        _ path: String, deviation: ((Double, Double) -> Double)? = nil,
        _ predict: @escaping (Quantity, Double, Double) -> Double
    ) throws -> [FieldErrors] {
        // A model has one viscosity or two, and the first of two is called as the one.
        let quantities = Quantity.allCases.filter { $0 != .horizontalViscosity }
        return try Evaluation(shelf: [stored], ice: .floatingIce, storePath: "store.nc", quantities: quantities) {
            x, y in
            var estimates: [Quantity: Evaluation.Estimate] = [:]
            for quantity in quantities {
                estimates[quantity] = (
                    values: zip(x, y).map { Float(predict(quantity, $0, $1)) },
                    deviations: deviation.map { deviation in zip(x, y).map { Float(deviation($0, $1)) } }
                )
            }
            return estimates
        }.errors(against: path)
    }
}

/// Predictions are in single precision.
private let rounding = 1e-6

@Suite struct EvaluationTests {
    @Test func aKnownPerturbationHasExactlyItsError() throws {
        let shelf = try Shelf()
        let path = try shelf.write(
            "truth.nc", [Shelf.Field(name: "viscosity", units: "Pa s", value: Shelf.viscosity)])
        // 10 % too large on one half of the cells, right on the other; 50 % on one of them.
        let odd = (x: 2500.0, y: 7000.0)
        func factor(_ x: Double, _ y: Double) -> Double { x == odd.x && y == odd.y ? 1.5 : x > 2750 ? 1.1 : 1 }
        let errors = try shelf.errors(path) { _, x, y in factor(x, y) * Shelf.viscosity(x, y) }
        let cells = shelf.grid.y[1...8].flatMap { y in shelf.grid.x[1...10].map { (x: $0, y: y) } }
        let truth = cells.map { Shelf.viscosity($0.x, $0.y) }
        let predicted = cells.map { factor($0.x, $0.y) * Shelf.viscosity($0.x, $0.y) }
        let mu = try #require(errors.first)
        #expect(errors.count == 1 && mu.quantity == .viscosity && mu.cells == 80 && mu.missing == 0)
        #expect(abs(try #require(mu.relativeL2) / relativeError(predicted, truth) - 1) < rounding)
        #expect(abs(mu.largest / (0.5 * Shelf.viscosity(odd.x, odd.y)) - 1) < rounding && mu.position == odd)
        let relative = try #require(mu.relative)
        #expect(abs(relative.median - 0.1) < rounding || relative.median < rounding)
        #expect(abs(relative.high - 0.1) < rounding && abs(relative.largest - 0.5) < rounding)
    }

    @Test func everyFieldOfAFileIsFoundUnderItsOwnNameAndInItsOwnUnit() throws {
        let shelf = try Shelf()
        let perYear = 1 / Constants.secondsPerYear
        let path = try shelf.write(
            "truth.nc",
            [
                Shelf.Field(name: "vx", units: "m s-1", value: { Shelf.speed($0, $1) * perYear }),
                Shelf.Field(name: "VY", units: "m/yr", value: Shelf.speed),
                Shelf.Field(name: "h", units: "km", value: { Shelf.thickness($0, $1) / 1000 }),
                Shelf.Field(name: "mu", units: "MPa yr", value: { Shelf.viscosity($0, $1) * 1e-6 * perYear }),
            ])
        func predict(_ quantity: Quantity, _ x: Double, _ y: Double) -> Double {
            switch quantity {
            case .velocityX, .velocityY: Shelf.speed(x, y)
            case .thickness: Shelf.thickness(x, y)
            case .viscosity: Shelf.viscosity(x, y)
            default: .nan
            }
        }
        // vx without a partner is no velocity product, and yet a field.
        let errors = try shelf.errors(path, predict)
        #expect(errors.map(\.quantity) == [.velocityX, .velocityY, .thickness, .viscosity])
        for field in errors { #expect(try #require(field.relativeL2) < rounding, "\(field.variable)") }
        // A component that passes zero has no relative errors of cells.
        #expect(errors.map { $0.relative == nil } == [true, true, false, false])
    }

    /// Turned over, cut, extended, twice as coarse: what lies on the shelf counts, where it lies.
    @Test func theTruthMayLieOnAnotherGrid() throws {
        let shelf = try Shelf()
        let grids: [(x: [Double], y: [Double], cells: Int)] = [
            (shelf.grid.x.reversed(), shelf.grid.y.reversed(), 80),
            (Array(shelf.grid.x[3...7]), Array(shelf.grid.y[4...9]), 5 * 5),
            ((-5..<20).map { 500 * Double($0) }, (-3..<30).map { 500 * Double($0) }, 80),
            ((0..<6).map { 1000 * Double($0) }, (5..<10).map { 1000 * Double($0) }, 5 * 4),
        ]
        for (number, grid) in grids.enumerated() {
            let path = try shelf.write(
                "truth\(number).nc", [Shelf.Field(name: "viscosity", units: "Pa s", value: Shelf.viscosity)], x: grid.x,
                y: grid.y)
            let mu = try #require(try shelf.errors(path) { _, x, y in 1.02 * Shelf.viscosity(x, y) }.first)
            #expect(mu.cells == grid.cells, "grid \(number)")
            #expect(abs(try #require(mu.relativeL2) - 0.02) < rounding)
        }
    }

    @Test func cellsWithoutATrueValueAreLeftOutAndCounted() throws {
        let shelf = try Shelf()
        let path = try shelf.write(
            "truth.nc",
            [
                Shelf.Field(
                    name: "thickness", units: "m",
                    value: { x, y in x == 1000 ? .nan : x == 1500 ? 0 : x == 2000 ? 9.97e36 : Shelf.thickness(x, y) })
            ])
        let h = try #require(try shelf.errors(path) { _, x, y in Shelf.thickness(x, y) + 3 }.first)
        #expect(h.cells == 56 && h.missing == 24)
        #expect(abs(h.largest - 3) < 1e-3)
    }

    @Test func aPredictionThatIsNoNumberIsInfinitelyWrong() throws {
        let shelf = try Shelf()
        let path = try shelf.write(
            "truth.nc", [Shelf.Field(name: "viscosity", units: "Pa s", value: Shelf.viscosity)])
        let errors = try shelf.errors(path) { _, x, y in x == 1500 ? .nan : Shelf.viscosity(x, y) }
        #expect(errors[0].largest == .infinity && errors[0].relativeL2 == .infinity)
        // And has no number in JSON.
        let json = try EvaluationReport(run: "run", iteration: 1, ice: .floatingIce, errors: errors).rendered(as: .json)
        #expect(json.contains("\"relative_error_median\"") && !json.contains("relative_l2"))
    }

    @Test func theSpreadOfAnEnsembleIsComparedWithItsError() throws {
        let shelf = try Shelf()
        let path = try shelf.write("truth.nc", [Shelf.Field(name: "h", units: "m", value: Shelf.thickness)])
        // Errors of 10 m, against deviations of 11 m on two columns of ten, 6 m on five and 4 m on three.
        let errors = try shelf.errors(
            path, deviation: { x, _ in x < 1250 ? 11 : x < 3750 ? 6 : 4 },
            { _, x, y in Shelf.thickness(x, y) + 10 })
        let spread = try #require(errors[0].spread)
        #expect(abs(spread.withinOne - 0.2) < 1e-12 && abs(spread.withinTwo - 0.7) < 1e-12)
        let meanSquare: Double = 0.2 * 121 + 0.5 * 36 + 0.3 * 16
        let expected = (meanSquare / 100).squareRoot()
        #expect(abs(try #require(spread.ratio) / expected - 1) < 1e-5)
        #expect(try shelf.errors(path, { _, x, y in Shelf.thickness(x, y) })[0].spread == nil)
    }

    @Test func whatCannotBeComparedIsToldInALineThatNamesIt() throws {
        let shelf = try Shelf()
        let viscosity = Shelf.Field(name: "viscosity", units: "Pa s", value: Shelf.viscosity)
        func message(_ path: String) throws -> String {
            do {
                _ = try shelf.errors(path) { _, _, _ in 1 }
            } catch let failure as any Failure where failure.kind == .badData {
                return failure.explanation
            }
            return ""
        }
        let none = try shelf.write("none.nc", [Shelf.Field(name: "bed", units: "m", value: Shelf.thickness)])
        #expect(try message(none).contains("none.nc") && message(none).contains("viscosity"))
        let far = try shelf.write("far.nc", [viscosity], x: shelf.grid.x.map { $0 + 1e6 })
        #expect(try message(far).contains("1000000,1005500") && message(far).contains("store.nc"))
        let empty = try shelf.write("empty.nc", [Shelf.Field(name: "mu", units: "Pa s", value: { _, _ in .nan })])
        #expect(try message(empty).contains("80 cells of floating ice"))
        for unit in [nil, "m", "mPa s"] {
            let path = try shelf.write("unit.nc", [Shelf.Field(name: "mu", units: unit, value: Shelf.viscosity)])
            #expect(try message(path).contains("unit") && message(path).contains("Pa s"), "\(unit ?? "none")")
        }
    }
}
