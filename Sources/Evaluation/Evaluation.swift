import Fields
import Ingest
import PointStore

/// Compares predicted fields with true ones at the cells of the truth's own grid.
///
/// A network has a value everywhere, so nothing is interpolated and the truth may lie on any grid of the same projection,
/// cropped, wider or coarser. Cells count where the store's mask has the ice of the run and the truth has a value.
public struct Evaluation {
    /// The estimates at positions [m], each in its quantity's own unit; standard deviations are those of an ensemble, nil for a
    /// single network.
    public typealias Predictor = (_ x: [Double], _ y: [Double]) throws -> [Quantity: Estimate]
    public typealias Estimate = (values: [Float], deviations: [Float]?)

    private let shelf: [StoredGrid]
    private let ice: IceMask
    private let storePath: String
    private let quantities: [Quantity]
    private let admit: (_ path: String, _ bytes: Int) throws -> Void
    private let predict: Predictor

    /// Cells that are predicted at once.
    public static let portion = 1 << 16

    /// - Parameters:
    ///   - shelf: grids of the store at `storePath`; their masks say where the ice is.
    ///   - ice: floating or grounded.
    ///   - quantities: those that are predicted.
    ///   - admit: called with the size of a band of a file's rows before it is read; throws where there is no room.
    public init(
        shelf: [StoredGrid], ice: IceMask, storePath: String, quantities: [Quantity],
        admit: @escaping (_ path: String, _ bytes: Int) throws -> Void = { _, _ in }, predict: @escaping Predictor
    ) {
        precondition(!shelf.isEmpty)
        self.shelf = shelf
        self.ice = ice
        self.storePath = storePath
        self.quantities = quantities
        self.admit = admit
        self.predict = predict
    }

    /// The errors of every predicted quantity that a file holds.
    ///
    /// - Parameter report: called between portions; cancels the work by throwing.
    public func errors(against path: String, report: () throws -> Void = {}) throws -> [FieldErrors] {
        let file = try GriddedFile(path: path)
        let fields = try file.fields(of: quantities)
        guard !fields.isEmpty else {
            throw PlainFailure(
                "\(path): nothing in it to compare with: none of \(list(quantities.flatMap(file.names))) among its variables \(list(file.variableNames)); give a file with one of them on projection coordinates x and y"
            )
        }
        var found: [FieldErrors] = []
        var rest = fields
        while let first = rest.first {
            // Fields of one grid are predicted together.
            found += try errors(of: rest.filter { $0.grid == first.grid }, report)
            rest.removeAll { $0.grid == first.grid }
        }
        return quantities.flatMap { quantity in found.filter { $0.quantity == quantity } }
    }

    private func errors(of fields: [GriddedField], _ report: () throws -> Void) throws -> [FieldErrors] {
        let grid = fields[0].grid
        let cover = cover(of: grid)
        try fields[0].requireProjection(of: cover.grid.projection, path: storePath)
        // Values in double, twice while they are read, and the numbers of the cells on the ice in an array that grows.
        let cells = grid.columns * (fields[0].bands.map(\.count).max() ?? 0)
        try admit(fields[0].path, cells * 8 * (fields.count + 1 + 3))
        var errors = fields.map(FieldErrors.init)
        for band in fields[0].bands {
            let values = try fields.map { try $0.read(rows: band) }
            func x(_ place: Int) -> Double { grid.x[place % grid.columns] }
            func y(_ place: Int) -> Double { grid.y[band.lowerBound + place / grid.columns] }
            let covered = (0..<band.count * grid.columns).filter { place in
                cover.grid.cell(containingX: x(place), y: y(place)).map { cover.mask[$0] == ice.rawValue } ?? false
            }
            for first in stride(from: 0, to: covered.count, by: Evaluation.portion) {
                try report()
                let places = covered[first..<min(first + Evaluation.portion, covered.count)]
                let predicted = try predict(places.map(x), places.map(y))
                for (number, field) in fields.enumerated() {
                    guard let estimate = predicted[field.quantity] else { continue }
                    for (index, place) in places.enumerated() {
                        let truth = values[number][place]
                        guard truth.isFinite else {
                            errors[number].missing += 1
                            continue
                        }
                        errors[number].add(
                            predicted: Double(estimate.values[index]),
                            deviation: estimate.deviations.map { Double($0[index]) },
                            truth: truth, x: x(place), y: y(place))
                    }
                }
            }
        }
        for number in errors.indices {
            if errors[number].cells == 0 { throw nothingInCommon(errors[number], grid, cover.grid) }
            errors[number].finish()
        }
        return errors
    }

    private func nothingInCommon(_ errors: FieldErrors, _ grid: Grid, _ shelf: Grid) -> PlainFailure {
        PlainFailure(
            "\(errors.path): variable \(quoted(errors.variable)) "
                + (errors.missing > 0
                    ? "has no value on any of the \(errors.missing) cells of \(ice.adjective) ice; check its fill value and its units"
                    : "covers \(extent(of: grid)), and the \(ice.adjective) ice of \(storePath) lies within \(extent(of: shelf)); give the truth of the ice that the run was trained on")
        )
    }

    /// Cell centres, from the first to the last: "xmin,xmax,ymin,ymax".
    private func extent(of grid: Grid) -> String {
        let (x, y) = ([grid.x[0], grid.x[grid.columns - 1]], [grid.y[0], grid.y[grid.rows - 1]])
        return (x.sorted() + y.sorted()).map { abs($0) < 1e15 ? String(Int($0.rounded())) : String($0) }
            .joined(separator: ",")
    }

    private func list(_ names: [String]) -> String {
        names.isEmpty ? "(none)" : names.prefix(20).map(quoted).joined(separator: ", ")
    }

    /// The mask for the cells of a grid: that of the store's grid on which they lie, otherwise of its first.
    private func cover(of grid: Grid) -> StoredGrid {
        shelf.first { stored in
            let at = stored.grid.fractionalIndex(x: grid.x[0], y: grid.y[0])
            let isAligned = [at.column, at.row].allSatisfy { abs($0 - $0.rounded()) < 0.01 }
            let fineness = [grid.spacingX / stored.grid.spacingX, grid.spacingY / stored.grid.spacingY]
            return isAligned && fineness.allSatisfy { abs($0 - 1) < 1e-4 }
        } ?? shelf[0]
    }
}
