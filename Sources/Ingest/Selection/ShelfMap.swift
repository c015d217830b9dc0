import Fields
import MapProjections

/// The named ice shelves of a mask, and their cells.
///
/// A shelf is the connected floating ice at its points. Where one body of floating ice has the points of several shelves (Ronne
/// and Filchner, most of Dronning Maud Land), each cell belongs to the shelf with the nearest point: a border without
/// glaciological meaning, which `Shelf.neighbours` reports, and which a common name (`Ronne-Filchner`) or a polygon avoids.
struct ShelfMap {
    struct Shelf: Sendable {
        let name: String
        fileprivate(set) var cells = 0
        /// True area [km²] where the projection is known, else on the map.
        fileprivate(set) var area = 0.0
        /// Bounding box of its cells [m].
        fileprivate(set) var box = Region.nothing
        /// Shelves of the same body of floating ice.
        fileprivate(set) var neighbours: [String] = []
        fileprivate let entry: Int
    }

    /// In the order of the table, around the continent.
    private(set) var shelves: [Shelf] = []
    /// Bodies of floating ice without a name, and their area [km²].
    private(set) var unnamed = 0
    private(set) var unnamedArea = 0.0

    private let names: ShelfNames
    private let bodies: IceBodies
    private let grid: Grid
    /// Points of shelves by body: fractional column and row, and the index in `shelves`.
    private var points: [Int: [(column: Double, row: Double, shelf: Int)]] = [:]

    /// A point of the table that is not on floating ice, because a front has retreated or an ice rise is there, stands for the
    /// floating ice within this distance [m].
    private static let reach = 20_000.0

    init(_ bodies: IceBodies, on grid: Grid, names: ShelfNames) {
        self.names = names
        self.bodies = bodies
        self.grid = grid
        let polar = PolarProjection(grid.projection)
        let cell = max(abs(grid.spacingX), abs(grid.spacingY))
        var bodiesOfShelf: [Set<Int>] = []
        for (number, entry) in names.entries.enumerated() {
            var found: Set<Int> = []
            for point in entry.points {
                guard let polar else { continue }
                let position = polar.position(longitude: point[1], latitude: point[0])
                let place = grid.fractionalIndex(x: position.x, y: position.y)
                // Points of the other hemisphere may have no finite coordinates.
                guard place.column.isFinite, place.row.isFinite,
                    let body = bodies.body(
                        nearColumn: place.column, row: place.row, within: ShelfMap.reach / cell)
                else { continue }
                points[body, default: []].append((place.column, place.row, shelves.count))
                found.insert(body)
            }
            if !found.isEmpty {
                shelves.append(Shelf(name: entry.name, entry: number))
                bodiesOfShelf.append(found)
            }
        }
        for number in shelves.indices {
            shelves[number].neighbours = shelves.indices.filter {
                $0 != number && !bodiesOfShelf[$0].isDisjoint(with: bodiesOfShelf[number])
            }.map { shelves[$0].name }
        }
        measure(polar)
    }

    /// Throws for a name that is not in the table.
    static func check(_ name: String) throws {
        let names = try ShelfNames.bundled()
        guard names.matches(name).isEmpty else { return }
        let nearest = names.nearest(to: name, count: 4)
        throw PlainFailure(
            .usage,
            "--shelf: unknown ice shelf \(quoted(name)); the most similar names are \(list(nearest)); pinn-ingest FILE --list-shelves lists all in a file"
        )
    }

    /// Indices of the shelves that a known name stands for.
    func matches(_ name: String) throws -> [Int] {
        let entries = names.matches(name)
        let found = shelves.indices.filter { entries.contains(shelves[$0].entry) }
        if !found.isEmpty { return found }
        guard PolarProjection(grid.projection) != nil else {
            throw PlainFailure(
                "--shelf: \(quoted(name)) cannot be located, because the file of the mask states \(grid.projection == nil ? "no projection" : "a projection that is not polar stereographic"); use --region or --polygon"
            )
        }
        throw PlainFailure(
            "--shelf: the mask has no floating ice at \(quoted(name)); it has \(shelves.isEmpty ? "no known shelf" : list(shelves.map(\.name))); give a file that covers the shelf (all known names are Antarctic), or --region or --polygon"
        )
    }

    /// Calls `use` with each run of cells: its row, its columns, and its shelf, nil for unnamed ice.
    private func forEachRun(_ use: (_ row: Int, _ columns: Range<Int>, _ shelf: Int?) -> Void) {
        for run in bodies.runs {
            let points = points[Int(run.body)] ?? []
            let all = Int(run.first)..<Int(run.end)
            guard Set(points.map(\.shelf)).count > 1 else {
                use(Int(run.row), all, points.first?.shelf)
                continue
            }
            var start = all.lowerBound
            var owner = nearest(points, all.lowerBound, Int(run.row))
            for column in all.dropFirst() {
                let next = nearest(points, column, Int(run.row))
                if next != owner {
                    use(Int(run.row), start..<column, owner)
                    start = column
                    owner = next
                }
            }
            use(Int(run.row), start..<all.upperBound, owner)
        }
    }

    private func nearest(_ points: [(column: Double, row: Double, shelf: Int)], _ column: Int, _ row: Int) -> Int {
        var best = (distance: Double.infinity, shelf: 0)
        for point in points {
            let (dx, dy) = (point.column - Double(column), point.row - Double(row))
            if dx * dx + dy * dy < best.distance { best = (dx * dx + dy * dy, point.shelf) }
        }
        return best.shelf
    }

    private mutating func measure(_ polar: PolarProjection?) {
        var shelves = shelves
        var unnamedArea = 0.0
        let (halfX, halfY) = (abs(grid.spacingX) / 2, abs(grid.spacingY) / 2)
        let cellArea = 4 * halfX * halfY / 1e6
        forEachRun { row, columns, shelf in
            let y = grid.y[row]
            let middle = (grid.x[columns.lowerBound] + grid.x[columns.upperBound - 1]) / 2
            let area = Double(columns.count) * cellArea / (polar?.areaScale(x: middle, y: y) ?? 1)
            guard let shelf else {
                unnamedArea += area
                return
            }
            shelves[shelf].cells += columns.count
            shelves[shelf].area += area
            let run = Region(
                xMin: grid.x[columns.lowerBound] - halfX, xMax: grid.x[columns.upperBound - 1] + halfX, yMin: y - halfY,
                yMax: y + halfY)
            shelves[shelf].box = shelves[shelf].box.union(run)
        }
        self.shelves = shelves
        self.unnamedArea = unnamedArea
        unnamed = bodies.count - points.count
    }

    /// The shelves as lines of text.
    var lines: [String] {
        let table = Table(
            title: PolarProjection(grid.projection) == nil
                ? "no polar stereographic projection: shelves cannot be identified"
                : shelves.isEmpty ? "no known ice shelf" : "ice shelves",
            header: ["name", "area km2", "cells", "xmin,xmax,ymin,ymax", "same ice body as"],
            rows: shelves.map { shelf in
                [
                    shelf.name, plain(shelf.area.rounded()), String(shelf.cells),
                    shelf.box.text, shelf.neighbours.joined(separator: ", "),
                ]
            },
            notes: unnamed == 0
                ? []
                : [
                    "unnamed: \(unnamed) \(unnamed == 1 ? "body" : "bodies") of floating ice, \(plain(unnamedArea.rounded())) km2"
                ])
        return table.rendered(as: .text).split(separator: "\n").map { String($0).replacing(#/ +$/#, with: "") }
    }

    /// The cells of the wanted shelves in a window of the grid.
    func cells(of wanted: [Int], in window: Grid) -> CellRuns {
        var runs = CellRuns(rows: window.rows)
        let firstRow = Int(((window.y[0] - grid.y[0]) / grid.spacingY).rounded())
        let firstColumn = Int(((window.x[0] - grid.x[0]) / grid.spacingX).rounded())
        forEachRun { row, columns, shelf in
            guard let shelf, wanted.contains(shelf), row >= firstRow, row < firstRow + window.rows else { return }
            let inside = columns.lowerBound - firstColumn..<columns.upperBound - firstColumn
            runs.insert(inside.clamped(to: 0..<window.columns), row: row - firstRow)
        }
        return runs
    }
}
