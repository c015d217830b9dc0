import Fields
import NetCDFFiles

/// Real cells of a product on the ice that is taken, each with its own values; nothing is invented.
struct Observations {
    /// Row-major cells of the window, ascending.
    var cells: [Int32] = []
    /// One array a quantity: u, v [m year⁻¹] or h [m].
    var values: [[Double]]
    /// Standard errors, an array a quantity in the unit of the values, NaN where the product gives none; empty where nothing is known
    /// of them.
    var errors: [[Double]] = []
    /// Whether the values told it (NoiseEstimate) and not the product.
    var errorsAreEstimated = false
    /// The product's fields of errors; empty where it has none.
    var errorNames: [String] = []
    /// Cells whose error is negative, and so none.
    var negativeErrors = 0
    /// Cells left out because a value lies outside of what its variable calls valid, and those variables.
    var invalid = 0
    var invalidNames: [String] = []
    /// Such cells whose value is missing or, for thickness, not positive.
    var missing = 0
    var notPositive = 0
    /// Those of the latter that are below zero.
    var negative = 0
    /// Cells that hold a usual mark for "no data" which the file does not declare.
    var marked = 0
    /// The cells as a set, for questions by place.
    var present: CellSet

    var count: Int { cells.count }
    /// The median of a quantity's known errors, of several quantities their root mean square; nil where none is known.
    var typicalError: Double? {
        let known = errors.compactMap(median(ofErrors:))
        return known.isEmpty ? nil : rootMeanSquare(known)
    }
    var iceCells: Int { count + missing + notPositive + marked }
}

/// Reads observations in bands: only rows and columns that hold the ice that is taken are touched.
struct ObservationReader {
    let window: GridWindow
    /// `IceMask` codes of the window's cells.
    let mask: [UInt8]
    let ice: IceMask
    let progress: (Int, Int) throws -> Void

    /// Cells where both components are known. Speeds of zero are data: both MEaSUREs products mark gaps by NaN. A component of
    /// exactly -9999 m/year is none.
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

    /// Cells where the thickness is positive: products write 0, or a negative mark that they do not declare, where
    /// they know none, and ice of no thickness does not exist.
    func thickness(of product: ProductFile) throws -> Observations {
        guard let variable = product.thickness, let schema = product.schema.thickness else {
            throw IngestError.noThicknessIn(
                path: product.path, sought: product.schema.thickness?.variable ?? [], present: product.variableNames)
        }
        let noData = product.noThickness
        let field = { (variable: any ProductArray) in
            try PackedField(variable, on: window, in: .meter, unitIfMissing: schema.unitIfMissing, noData: noData)
        }
        let errors = [try product.first(schema.error).map(field)]
        var bed: PackedField?
        if let names = schema.minus {
            guard let found = product.first(names) else {
                throw IngestError.missingPartner(names[0], of: variable.name, path: product.path)
            }
            bed = try field(found)
        }
        let thickness = try PackedField(
            variable, on: window, in: .meter, unitIfMissing: schema.unitIfMissing, noData: noData, minus: bed)
        return try read([thickness], errors: errors) {
            $0[0] > 0 ? .kept : ($0[0] < 0 ? .negative : .notPositive)
        }
    }

    /// Cells where the height of the surface is known.
    func surface(of product: ProductFile) throws -> Observations {
        guard let variable = product.surface, let schema = product.schema.surface else {
            throw IngestError.noSurfaceIn(
                path: product.path, sought: product.schema.surface?.variable ?? [], present: product.variableNames)
        }
        var noData = (schema.noData ?? []).map(\.value)
        if let name = schema.noDataAttribute, let number = product.file.attribute(name)?.number {
            noData.append(number)
        }
        return try read(
            [
                try PackedField(
                    variable, on: window, in: .meter, unitIfMissing: schema.unitIfMissing, noData: noData)
            ], errors: []
        ) { _ in .kept }
    }

    private enum Verdict { case kept, notPositive, negative, marked }

    private func read(
        _ fields: [PackedField], errors: [PackedField?], judge: ([Double]) -> Verdict
    ) throws -> Observations {
        var found = Observations(
            values: [[Double]](repeating: [], count: fields.count), present: CellSet(capacity: window.grid.cellCount))
        let known = errors.compactMap { $0 }
        found.errors = known.isEmpty ? [] : errors.map { _ in [] }
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
                    if verdict == .marked {
                        found.marked += 1
                        continue
                    }
                    guard verdict == .kept else {
                        found.notPositive += 1
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
            throw IngestError.nothingValid(
                variable: fields[0].variable.name, path: window.path, iceCells: found.iceCells, ice: ice,
                invalid: found.invalid, of: found.invalidNames)
        }
        found.errorNames = known.map(\.variable.name)
        if found.typicalError == nil { found.estimateErrors(columns: window.columns) }
        return found
    }

    /// The columns between the first and the last cell of a band with ice.
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
