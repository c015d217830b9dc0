import Fields
import NetCDFFiles

/// The coordinates of a field's cells along one of its dimensions, in the file's order.
struct CoordinateLine {
    let name: String
    let path: String
    let dimension: Dimension
    /// [m]
    var values: [Double]
    /// Whether the file holds them in single precision.
    let isFloat: Bool
}

/// The coordinates of a field, however the file gives them: a vector over one of the field's dimensions, a mesh of the
/// field's shape, a vector that only its length connects with the field, or attributes of the file.
extension ProductFile {
    /// Far more than a mesh of any crop; continental grids have vectors.
    private static let maxMeshValues = 1 << 27

    func coordinateLine(_ direction: Axis.Direction, of field: any ProductArray) throws -> CoordinateLine {
        let coordinates = coordinates(of: field)
        let names = direction == .x ? coordinates.x : coordinates.y
        let described = file.arrays.filter {
            $0.dimensions.count == 1
                && $0.attribute("standard_name")?.text == "projection_\(direction.rawValue)_coordinate"
        }
        let candidates = names.compactMap { file.array($0) } + described
        if let vector = candidates.first(where: {
            $0.dimensions.count == 1 && field.dimensions.contains($0.dimensions[0])
        }) {
            return try line(of: vector, along: vector.dimensions[0])
        }
        let proper = field.properDimensions
        for mesh in candidates {
            if let dimensions = dimensions(ofMesh: mesh, over: field) {
                return try line(ofMesh: mesh, along: dimensions)
            }
        }
        if let place = coordinates.order?.firstIndex(of: direction.rawValue), proper.count == 2, place < 2,
            let vector = candidates.first(where: {
                $0.properDimensions.count == 1 && $0.properDimensions[0].length == proper[place].length
            })
        {
            return try line(of: vector, along: proper[place])
        }
        if candidates.isEmpty, let grid = schema.grid {
            return try line(direction, definedBy: grid, of: field)
        }
        guard let other = candidates.first else {
            throw PlainFailure.noCoordinates(field, sought: names)
        }
        if other.properDimensions.count == 1, proper.count == 1 {
            throw PlainFailure.unstructured(field, coordinate: other.name)
        }
        if other.dimensions.count != 1, other.properDimensions.count != 2 {
            throw PlainFailure.badCoordinate(
                other.name, path: path, "has the shape \(shape(other.shape)), neither a vector nor a mesh")
        }
        throw PlainFailure.shapesDisagree(other, with: field.name, field.shape)
    }

    /// The field's dimensions in the mesh's order; nil where it is no mesh over them. In plain HDF5, dimensions of two groups
    /// have nothing in common but their lengths.
    private func dimensions(ofMesh mesh: any ProductArray, over field: any ProductArray) -> [Dimension]? {
        let (mine, its) = (mesh.properDimensions, field.properDimensions)
        guard mine.count == 2, its.count == 2 else { return nil }
        if mine.allSatisfy({ its.contains($0) }) { return mine }
        return mine.map(\.length) == its.map(\.length) && !mine.contains { its.contains($0) } ? its : nil
    }

    private func line(of vector: any ProductArray, along dimension: Dimension) throws -> CoordinateLine {
        try Axis.requireLength(dimension.length, of: vector.name, path: path)
        return CoordinateLine(
            name: vector.name, path: path, dimension: dimension,
            values: try inMeters(try vector.numbers(), of: vector), isFloat: vector.type == .float)
    }

    /// A mesh repeats one line of numbers; where it is NaN, as products have it outside the ice, other rows give the number.
    private func line(ofMesh mesh: any ProductArray, along proper: [Dimension]) throws -> CoordinateLine {
        let (rows, columns) = (proper[0].length, proper[1].length)
        for dimension in proper { try Axis.requireLength(dimension.length, of: mesh.name, path: path) }
        guard rows <= ProductFile.maxMeshValues / columns else {
            throw PlainFailure.badCoordinate(
                mesh.name, path: path, "is a mesh of \(rows) x \(columns) numbers, too many to be real")
        }
        var alongColumns = [Double](repeating: .nan, count: columns)
        var alongRows = [Double](repeating: .nan, count: rows)
        try forEachValue(ofMesh: mesh) { row, column, value in
            if alongColumns[column].isNaN { alongColumns[column] = value }
            if alongRows[row].isNaN { alongRows[row] = value }
        }
        var deviation = (rows: 0.0, columns: 0.0)
        try forEachValue(ofMesh: mesh) { row, column, value in
            deviation.rows = max(deviation.rows, abs(value - alongRows[row]))
            deviation.columns = max(deviation.columns, abs(value - alongColumns[column]))
        }
        let isAlongRows = deviation.rows < deviation.columns
        let line = isAlongRows ? alongRows : alongColumns
        let known = line.indices.filter { line[$0].isFinite }
        guard let first = known.first, let last = known.last, last > first else {
            throw PlainFailure.badCoordinate(mesh.name, path: path, "has too few numbers to give its spacing")
        }
        let step = (line[last] - line[first]) / Double(last - first)
        let rounding = mesh.type == .float ? 2 * max(abs(line[first]), abs(line[last])) * Double(Float.ulpOfOne) : 0
        guard min(deviation.rows, deviation.columns) <= 0.01 * abs(step) + rounding else {
            throw PlainFailure.badCoordinate(
                mesh.name, path: path, "varies along both dimensions: the grid is rotated or curvilinear")
        }
        let filled = line.indices.map { line[$0].isFinite ? line[$0] : line[first] + Double($0 - first) * step }
        return CoordinateLine(
            name: mesh.name, path: path, dimension: proper[isAlongRows ? 0 : 1],
            values: try inMeters(filled, of: mesh), isFloat: mesh.type == .float)
    }

    /// Passes the finite values of a mesh with their rows and columns, a band of rows at a time: a large mesh is not held whole.
    private func forEachValue(
        ofMesh mesh: any ProductArray, _ use: (_ row: Int, _ column: Int, _ value: Double) -> Void
    ) throws {
        let proper = mesh.shape.indices.filter { mesh.shape[$0] > 1 }
        let (rows, columns) = (mesh.shape[proper[0]], mesh.shape[proper[1]])
        let chunk = mesh.chunkLengths?[proper[0]] ?? 1
        let most = max(1, (1 << 22) / columns / chunk) * chunk
        for first in stride(from: 0, to: rows, by: most) {
            var (start, count) = (mesh.shape.map { _ in 0 }, mesh.shape)
            start[proper[0]] = first
            count[proper[0]] = min(most, rows - first)
            for (place, value) in try mesh.numbers(start: start, count: count).enumerated() where value.isFinite {
                use(first + place / columns, place % columns, value)
            }
        }
    }

    /// Products without coordinates give the first cell and the spacing; from there x increases and y decreases.
    private func line(
        _ direction: Axis.Direction, definedBy grid: ProductSchema.GridAttributes, of field: any ProductArray
    ) throws -> CoordinateLine {
        let names = direction == .x ? grid.xDimension : grid.yDimension
        guard let dimension = field.dimensions.first(where: { names.contains($0.name) }) else {
            throw PlainFailure.noCoordinates(field, sought: names)
        }
        try Axis.requireLength(dimension.length, of: dimension.name, path: path)
        let attribute = direction == .x ? grid.xFirst : grid.yFirst
        let first = try length(attribute)
        let spacing = try length(grid.spacing)
        guard spacing > 0 else { throw badLength(grid.spacing, plain(spacing)) }
        let step = direction == .x ? spacing : -spacing
        return CoordinateLine(
            name: attribute, path: path, dimension: dimension,
            values: (0..<dimension.length).map { first + Double($0) * step }, isFloat: false)
    }

    /// A length [m] from a global attribute, a number or text with its unit: "-2800000.0 m".
    private func length(_ name: String) throws -> Double {
        guard let attribute = file.attribute(name) else {
            throw PlainFailure(
                "\(path): no global attribute \(quoted(name)), which gives the position of the cells; download the complete product again"
            )
        }
        if let number = attribute.number, number.isFinite { return number }
        let words = (attribute.text ?? "").split(separator: " ").map(String.init)
        if words.count == 2, let number = Double(words[0]), number.isFinite, let unit = Unit(words[1].trimmingBlanks()),
            unit.dimension == .length
        {
            return number * unit.factor
        }
        throw badLength(name, attribute.text ?? "several numbers")
    }

    private func badLength(_ name: String, _ found: String) -> PlainFailure {
        PlainFailure(
            "\(path): global attribute \(quoted(name)) is \(quoted(found)), expected a length such as '-2800000.0 m'; download the file again or correct the attribute"
        )
    }

    private func inMeters(_ values: [Double], of array: any ProductArray) throws -> [Double] {
        let factor = try PackedField.factor(of: array, to: .meter, ifMissing: schema.coordinates.unitIfMissing)
        return factor == 1 ? values : values.map { $0 * factor }
    }
}
