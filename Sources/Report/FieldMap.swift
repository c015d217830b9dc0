import Export
import Fields
import Objective
import PointStore
import Runs

/// A field as it is drawn: values at the pixels of a picture, and their colour scale.
struct FieldMap {
    /// First part of file names.
    let name: String
    let title: String
    /// CF unit, such as "m year-1".
    let unit: String
    let grid: PictureGrid
    let scale: ColorScale
    /// (grid.height, grid.width), NaN where there is no value.
    let values: [Float]
}

/// A group of maps under a heading.
struct MapSection {
    let title: String
    let maps: [FieldMap]
}

/// Evaluates a prediction at the pixels of its maps and finds the observations there: the cost is a forward pass over the
/// pixels, independent of the size of the grids, and one pass over the observations in chunks.
struct MapMaker {
    /// The prediction with strain rates and residuals.
    let full: Prediction
    /// The network's own fields alone, at a sixth of the cost.
    let plain: Prediction
    /// Called with the number of points done since the last call; throws to stop the work.
    let report: (Int) throws -> Void

    static let portion = 1 << 16

    /// Number of pixels to evaluate and observations to read, for progress.
    static func work(_ store: StoreReader) -> Int {
        grids(of: store).reduce(0) { $0 + $1.picture.pixelCount + $1.sets.reduce(0) { $0 + store.count($1) } }
    }

    /// Bytes of the pictures of so many predicted fields and of the page that holds them.
    static func byteCount(_ store: StoreReader, fields: Int) -> Int {
        grids(of: store).reduce(0) { sum, grid in
            let observed = grid.sets.reduce(0) { $0 + $1.observedColumns.count }
            // Of a map its values, and as a picture, compressed, in base 64 and in the page, a byte or two each. Of the fields
            // that share a scale, two at most, finite values once more and sorted. Places in the grid.
            let maps = fields + 3 * observed + 2
            return sum + grid.picture.pixelCount * (maps * (4 + 12) + 64)
                + 2 * 4 * (grid.picture.stored.grid.rows + grid.picture.stored.grid.columns)
        }
    }

    /// The grids to draw: the first with all fields, the others if they carry observations.
    private static func grids(of store: StoreReader) -> [(picture: PictureGrid, sets: [PointSet])] {
        let description = store.description
        return description.grids.enumerated().compactMap { number, stored in
            let sets = description.sets(on: stored.name)
            guard number == 0 || !sets.isEmpty else { return nil }
            return PictureGrid(stored, ice: description.ice).map { ($0, sets) }
        }
    }

    /// Maps of observed quantities with their misfits, then of inferred ones.
    func sections() throws -> [MapSection] {
        var sections: [MapSection] = []
        var last: [MapSection] = []
        for (number, (picture, sets)) in MapMaker.grids(of: plain.store).enumerated() {
            let prediction = number == 0 ? full : plain
            let predicted = try fields(of: prediction, at: picture)
            for set in sets {
                sections += try [comparison(predicted, observations(of: set, at: picture), picture)].compactMap(\.self)
            }
            if number == 0 { last = inferred(prediction, predicted, picture) }
        }
        return sections + last
    }

    // MARK: Values

    private typealias Values = [String: [Float]]

    /// The prediction at every ice pixel, keyed by the names of fields and standard deviations.
    private func fields(of prediction: Prediction, at picture: PictureGrid) throws -> Values {
        let ice = prediction.store.description.ice.rawValue
        let names = prediction.columnNames
        var columns = names.map { _ in [Float](repeating: .nan, count: picture.pixelCount) }
        for first in stride(from: 0, to: picture.pixelCount, by: MapMaker.portion) {
            let all = first..<min(first + MapMaker.portion, picture.pixelCount)
            let pixels = all.filter { picture.cover(of: $0) == ice }
            let positions = pixels.map(picture.position)
            let values = try prediction.fields(x: positions.map(\.x), y: positions.map(\.y))
            for (number, column) in (values.values + values.deviations).enumerated() {
                for (pixel, value) in zip(pixels, column) where value.isFinite { columns[number][pixel] = value }
            }
            try report(all.count)
        }
        return Values(uniqueKeysWithValues: zip(names, columns))
    }

    private func observations(of set: PointSet, at picture: PictureGrid) throws -> Values {
        let store = plain.store
        let columns = set.observedColumns
        let empty = [Float](repeating: .nan, count: picture.pixelCount)
        var values = Values(uniqueKeysWithValues: columns.map { ($0.rawValue, empty) })
        for first in stride(from: 0, to: store.count(set), by: MapMaker.portion) {
            let points = first..<min(first + MapMaker.portion, store.count(set))
            let physical = store.physical(set, try store.read(set, points))
            for point in 0..<points.count {
                // Positions are those of cell centres, in single precision.
                guard let pixel = picture.pixel(x: physical[.x]![point], y: physical[.y]![point]) else { continue }
                for column in columns { values[column.rawValue]![pixel] = Float(physical[column]![point]) }
            }
            try report(points.count)
        }
        return values
    }

    // MARK: Maps

    /// Observed and predicted values on the same colour scale, and their difference; nil where nothing is both.
    private func comparison(_ predicted: Values, _ observed: Values, _ picture: PictureGrid) -> MapSection? {
        let columns = [Column.u, .v, .h, .s].filter { predicted[$0.rawValue] != nil && observed[$0.rawValue] != nil }
        guard let first = columns.first, let quantity = first.shortName else { return nil }
        let isVelocity = columns.count > 1
        let name = (isVelocity ? "speed" : quantity).capitalizedFirst
        let file = isVelocity ? "speed" : first.rawValue
        func amount(_ values: Values) -> [Float] {
            let parts = columns.map { values[$0.rawValue]! }
            return isVelocity ? zip(parts[0], parts[1]).map { ($0 * $0 + $1 * $1).squareRoot() } : parts[0]
        }
        let fields = maps(
            [
                ("\(file)_observed", "\(name), observed", amount(observed)),
                ("\(file)_predicted", "\(name), predicted", amount(predicted)),
            ], unit: first.unit, .amount, picture)
        let misfits = columns.map { column in
            let difference = zip(predicted[column.rawValue]!, observed[column.rawValue]!).map { $0 - $1 }
            return (column.misfitName, "Misfit of the \(column.shortName ?? "")", difference)
        }
        return MapSection(
            title: isVelocity ? "Velocity" : name,
            maps: fields + maps(misfits, unit: first.unit, .difference, picture))
    }

    /// Fields without observations: inferred fields with standard deviations, derived fields, and residuals.
    private func inferred(_ prediction: Prediction, _ predicted: Values, _ picture: PictureGrid) -> [MapSection] {
        let others = prediction.fields.filter { Column(rawValue: $0.name)?.isObserved != true }
        let residuals = others.filter { $0.name.hasPrefix("residual_") }
        let inferred = others.filter { !$0.name.hasPrefix("residual_") }.flatMap { field -> [FieldMap] in
            let values = predicted[field.name]!
            let kind = values.contains { $0 < 0 } ? ColorScale.Kind.difference : .amountOrLogarithm
            let title = "Standard deviation of \(field.name.replacing("_", with: " "))"
            let deviation = predicted[field.deviationName].map { [(field.deviationName, title, $0)] } ?? []
            return maps([(field.name, field.longName.capitalizedFirst, values)], unit: field.units, kind, picture)
                + maps(deviation, unit: field.units, .amountOrLogarithm, picture)
        }
        // Residuals of the same unit share a colour scale.
        let units = residuals.map(\.units)
        let equations = units.indices.filter { units.firstIndex(of: units[$0]) == $0 }.flatMap { number in
            let fields = residuals.filter { $0.units == units[number] }
            return maps(
                fields.map { ($0.name, $0.longName.capitalizedFirst, predicted[$0.name]!) }, unit: units[number],
                .difference, picture)
        }
        return [MapSection(title: "Inferred", maps: inferred), MapSection(title: "Equations", maps: equations)]
            .filter { !$0.maps.isEmpty }
    }

    /// Maps of fields that share one scale; none if no field has a value.
    private func maps(
        _ fields: [(name: String, title: String, values: [Float])], unit: String, _ kind: ColorScale.Kind,
        _ picture: PictureGrid
    ) -> [FieldMap] {
        guard let scale = ColorScale(fields.flatMap(\.values), kind) else { return [] }
        return fields.map {
            FieldMap(name: $0.name, title: $0.title, unit: unit, grid: picture, scale: scale, values: $0.values)
        }
    }
}

extension StoreReader {
    /// Positions and observations of a set in physical units.
    func physical(_ set: PointSet, _ stored: [[Float]]) -> [Column: [Double]] {
        var values: [Column: [Double]] = [:]
        for (column, numbers) in zip(set.columns, stored) where column.isObserved || column == .x || column == .y {
            let normalization = description.normalization(column)
            values[column] = numbers.map { normalization.physical(Double($0)) }
        }
        return values
    }
}

extension String {
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
