import Fields
import PointStore

/// The grid of a prediction: one of the store's, a crop of it, or one of another spacing over the same ice.
public struct TargetGrid: Sendable {
    let name: String
    let grid: Grid
    private let source: StoredGrid
    /// Where the first cell lies on the source; nil where the cells are not the source's own.
    private let corner: (row: Int, column: Int)?

    /// - Parameter names: nil for all grids of a store, or for the first where a spacing is given: grids of one spacing are
    ///   alike, whatever they come from.
    static func targets(in store: StoreDescription, named names: [String]?, region: Region?, spacing: Double?) throws
        -> [TargetGrid]
    {
        let known = store.grids
        return try (names ?? (spacing == nil ? known : Array(known.prefix(1))).map(\.name)).map { name in
            guard let grid = known.first(where: { $0.name == name }) else {
                throw PlainFailure(
                    .usage,
                    "--grid: the store has no grid \(quoted(name)); it has \(known.map(\.name).joined(separator: ", "))"
                )
            }
            return try TargetGrid(grid, region: region, spacing: spacing)
        }
    }

    /// More cells would not fit into the row-major numbers of cells that stores use.
    private static let maxCells = 2e9

    /// - Parameters:
    ///   - region: nil for all of the source.
    ///   - spacing: distance of cell centres [m]; nil for the source's own.
    public init(_ source: StoredGrid, region: Region? = nil, spacing: Double? = nil) throws {
        self.source = source
        name = source.name
        let within = region ?? .everywhere
        if let spacing {
            let columns = TargetGrid.multiples(of: spacing, source.grid.x, within.xMin, within.xMax)
            let rows = TargetGrid.multiples(of: spacing, source.grid.y, within.yMin, within.yMax)
            let count = Double(max(0, columns.last - columns.first + 1)) * max(0, rows.last - rows.first + 1)
            guard count <= TargetGrid.maxCells else {
                throw PlainFailure(
                    .usage,
                    "--spacing-m \(spacing): a grid of more than 2e9 cells, the most that is written; choose a wider spacing, or a smaller --region"
                )
            }
            let x = TargetGrid.axis(source.grid.x, columns, spacing)
            let y = TargetGrid.axis(source.grid.y, rows, spacing)
            grid = Grid(x: x, y: y, projection: source.grid.projection)
            corner = nil
        } else {
            let columns = source.grid.x.indices.filter { (within.xMin...within.xMax).contains(source.grid.x[$0]) }
            let rows = source.grid.y.indices.filter { (within.yMin...within.yMax).contains(source.grid.y[$0]) }
            grid = Grid(
                x: columns.map { source.grid.x[$0] }, y: rows.map { source.grid.y[$0] },
                projection: source.grid.projection)
            corner = (rows.first ?? 0, columns.first ?? 0)
        }
        guard grid.cellCount == 0 else { return }
        let (x, y) = (source.grid.x, source.grid.y)
        func text(_ numbers: [Double]) -> String { numbers.map { "\($0)" }.joined(separator: ",") }
        let options = [
            region.map { "--region \(text([$0.xMin, $0.xMax, $0.yMin, $0.yMax]))" },
            spacing.map { "--spacing-m \($0)" },
        ]
        let extent = text([x.min() ?? 0, x.max() ?? 0, y.min() ?? 0, y.max() ?? 0])
        throw PlainFailure(
            .usage,
            "\(options.compactMap { $0 }.joined(separator: " ")): no cells on the \(source.name) grid, which covers \(extent) (xmin,xmax,ymin,ymax in metres)"
        )
    }

    /// The first and the last multiple of a spacing that lie on an axis's cells and within bounds: two exports of one spacing fit
    /// onto each other.
    private static func multiples(of spacing: Double, _ source: [Double], _ from: Double, _ to: Double)
        -> (first: Double, last: Double)
    {
        let half = source.count > 1 ? abs(source[1] - source[0]) / 2 : 0
        return (
            (max(from, (source.min() ?? 0) - half) / spacing).rounded(.up),
            (min(to, (source.max() ?? 0) + half) / spacing).rounded(.down)
        )
    }

    /// Cell centres in the direction of the source's axis.
    private static func axis(_ source: [Double], _ range: (first: Double, last: Double), _ spacing: Double) -> [Double]
    {
        guard range.first <= range.last else { return [] }
        let rising = (0...Int(range.last - range.first)).map { (range.first + Double($0)) * spacing }
        return (source.last ?? 0) < (source.first ?? 0) ? rising.reversed() : rising
    }

    /// Whether observations of the source have cells here.
    var hasObservations: Bool { corner != nil }

    /// Codes of rows, row-major; of a grid of another spacing those of the nearest cells of the source.
    func mask(rows: Range<Int>) -> [UInt8] {
        if let corner {
            return rows.flatMap { row in
                let first = (corner.row + row) * source.grid.columns + corner.column
                return source.mask[first..<first + grid.columns]
            }
        }
        return rows.flatMap { row in
            grid.x.map { x in
                source.grid.cell(containingX: x, y: grid.y[row]).map { source.mask[$0] } ?? IceMask.ocean.rawValue
            }
        }
    }

    /// The cell here of a cell of the source; nil where it lies beyond the crop.
    func cell(ofSource cell: Int32) -> Int32? {
        guard let corner else { return nil }
        let row = Int(cell) / source.grid.columns - corner.row
        let column = Int(cell) % source.grid.columns - corner.column
        guard (0..<grid.rows).contains(row), (0..<grid.columns).contains(column) else { return nil }
        return Int32(row * grid.columns + column)
    }
}
