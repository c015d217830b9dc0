import Fields
import NetCDFFiles

/// Values of a product at the cells of the selected ice, without interpolation.
struct Observations {
    /// Row-major cells of the window, ascending.
    var cells: [Int32] = []
    /// One array for each quantity: u and v [m yr⁻¹], or h [m].
    var values: [[Double]]
    /// Standard errors in the unit of the values, one array for each quantity, NaN where unknown; empty where all are.
    var errors: [[Double]] = []
    /// Whether the errors are estimates (`NoiseEstimate`) and not from the product.
    var errorsAreEstimated = false
    /// Names of the product's error fields; empty where it has none.
    var errorNames: [String] = []
    /// Cells whose error is negative, which counts as unknown.
    var negativeErrors = 0
    /// Cells left out because a value is outside the valid range of its variable, and the names of these variables.
    var invalid = 0
    var invalidNames: [String] = []
    /// Cells left out because a value is missing or, for thickness, not positive.
    var missing = 0
    var notPositive = 0
    /// Those of `notPositive` that are below zero.
    var negative = 0
    /// Cells left out because they hold a common no-data value that the file does not declare.
    var marked = 0
    /// The same cells as a set.
    var present: CellSet

    var count: Int { cells.count }
    /// The median of the known errors, the root mean square over quantities; nil where none is known.
    var typicalError: Double? {
        errors.compactMap(median(ofErrors:)).rootMeanSquare
    }
}

/// Reads observations in bands, only rows and columns with the selected ice.
struct ObservationReader {
    let window: GridWindow
    /// `IceMask` codes of the window's cells.
    let mask: [UInt8]
    let ice: IceMask
    let progress: (Int, Int) throws -> Void

    /// Cells where both components are known. Zero is a valid velocity: both MEaSUREs products mark gaps by NaN. A component of
    /// exactly -9999 m yr-1 is not.
    func velocity(of product: ProductFile) throws -> Observations {
        let (x, y) = try product.velocityComponents()
        let schema = product.schema.velocity
        let field = { (variable: any ProductArray) in
            try PackedField(
                variable, on: window, in: .metersPerYear, unitIfMissing: schema?.unitIfMissing,
                noData: (schema?.noData ?? []).map(\.value))
        }
        let errors = try [product.first(schema?.errorX), product.first(schema?.errorY)].map { try $0.map(field) }
        let components = [try field(x), try field(y)]
        let marks = components.flatMap(\.undeclaredMarks)
        return try read(components, errors: errors) { $0.contains(where: marks.contains) ? .marked : .kept }
    }

    /// Cells where the thickness is positive: products write 0, or an undeclared negative value, where it is unknown.
    func thickness(of product: ProductFile) throws -> Observations {
        let variable = try product.requireThickness()
        let schema = product.schema.thickness
        let noData = product.noThickness
        let field = { (variable: any ProductArray, bed: PackedField?) in
            try PackedField(
                variable, on: window, in: .meter, unitIfMissing: schema?.unitIfMissing, noData: noData, minus: bed)
        }
        let bed = try schema?.minus.map { names in
            guard let found = product.first(names) else {
                throw PlainFailure.missingPartner(names[0], of: variable.name, path: product.path)
            }
            return try field(found, nil)
        }
        let errors = [try product.first(schema?.error).map { try field($0, nil) }]
        return try read([try field(variable, bed)], errors: errors) {
            $0[0] > 0 ? .kept : ($0[0] < 0 ? .negative : .notPositive)
        }
    }

    /// Cells where the height of the surface is known.
    func surface(of product: ProductFile) throws -> Observations {
        guard let schema = product.schema.surface, let variable = product.first(schema.variable) else {
            throw PlainFailure(
                "\(product.path): no surface height found: none of \(list(product.schema.surface?.variable ?? [])) among its variables \(list(product.variableNames)); grounded ice needs it, so give a product that has one, such as BedMachine Antarctica, with --thickness"
            )
        }
        let field = try PackedField(
            variable, on: window, in: .meter, unitIfMissing: schema.unitIfMissing,
            noData: product.noData(schema.noData, schema.noDataAttribute))
        return try read([field], errors: []) { _ in .kept }
    }

    private enum Verdict { case kept, notPositive, negative, marked }

    private func read(
        _ fields: [PackedField], errors: [PackedField?], judge: ([Double]) -> Verdict
    ) throws -> Observations {
        var found = Observations(
            values: [[Double]](repeating: [], count: fields.count), present: CellSet(capacity: window.grid.cellCount))
        let known = errors.compactMap { $0 }
        // An array that grows is copied into one of twice its room.
        let most = mask.count(of: ice.rawValue)
        found.errors = known.isEmpty ? [] : errors.map { _ in [] }
        found.cells.reserveCapacity(most)
        for number in found.values.indices { found.values[number].reserveCapacity(most) }
        for number in found.errors.indices { found.errors[number].reserveCapacity(most) }
        var here = [Double](repeating: 0, count: fields.count)
        for band in window.bands(chunkRows: fields[0].chunkRows) {
            try progress(band.lowerBound, window.rows)
            guard let columns = iceColumns(of: band) else { continue }
            let values = try fields.map { try $0.read(rows: band, columns: columns) }
            let sigmas = try errors.map { try $0?.read(rows: band, columns: columns) }
            for row in band {
                for column in columns {
                    let cell = row * window.columns + column
                    guard mask[cell] == ice.rawValue else { continue }
                    let place = (row - band.lowerBound) * columns.count + column - columns.lowerBound
                    for number in here.indices { here[number] = values[number][place] }
                    guard here.allSatisfy(\.isFinite) else {
                        found.missing += 1
                        found.invalid += here.contains(.infinity) ? 1 : 0
                        continue
                    }
                    let verdict = judge(here)
                    guard verdict == .kept else {
                        found.marked += verdict == .marked ? 1 : 0
                        found.notPositive += verdict == .marked ? 0 : 1
                        found.negative += verdict == .negative ? 1 : 0
                        continue
                    }
                    found.cells.append(Int32(cell))
                    found.present.insert(cell)
                    for number in here.indices { found.values[number].append(here[number]) }
                    if !found.errors.isEmpty {
                        let here = sigmas.map { $0?[place] ?? .nan }
                        found.negativeErrors += here.contains { $0 < 0 } ? 1 : 0
                        for number in here.indices {
                            found.errors[number].append(here[number] < 0 ? .nan : here[number])
                        }
                    }
                }
            }
        }
        found.invalidNames = fields.filter { $0.valid != nil }.map(\.variable.name)
        guard found.count > 0 else {
            let cells = found.missing + found.notPositive + found.marked
            throw PlainFailure(
                found.invalid > 0
                    ? "\(window.path): on \(found.invalid) of the \(cells) \(ice.adjective) cells \(found.invalidNames.map(quoted).joined(separator: ", ")) is outside the variable's valid_range, valid_min or valid_max, and the others have no data; remove the attribute if it does not belong to these data"
                    : "\(window.path): variable \(quoted(fields[0].variable.name)) has no data on any of the \(cells) \(ice.adjective) cells; check that the file is complete and covers the \(ice.body)"
            )
        }
        found.errorNames = known.map(\.variable.name)
        if found.typicalError == nil { found.estimateErrors(columns: window.columns) }
        return found
    }

    /// The columns from the first to the last cell with ice in a band.
    private func iceColumns(of band: Range<Int>) -> Range<Int>? {
        var first = window.columns
        var last = -1
        for row in band {
            let start = row * window.columns
            let cells = mask[start..<start + window.columns]
            guard let west = cells.firstIndex(of: ice.rawValue),
                let east = cells.lastIndex(of: ice.rawValue)
            else { continue }
            first = min(first, west - start)
            last = max(last, east - start)
        }
        return last < first ? nil : first..<last + 1
    }
}
