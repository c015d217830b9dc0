import Fields
import NetCDFFiles

/// A field of a product on its grid, read in bands as physical values, with NaN for "no data", however the file marks it. Only
/// one band is in memory: real files have 12445 × 12445 cells.
struct PackedField {
    let variable: any ProductArray
    let window: GridWindow
    private let rowPosition: Int
    private let columnPosition: Int
    /// Raw values that mean "no data", as the variable's own type rounds them.
    private let noData: [Double]
    /// The valid range of stored values; nil where the file gives none.
    let valid: ClosedRange<Double>?
    private let scale: Double
    private let offset: Double
    /// Added to negative stored values, where the file declares its integers unsigned (`_Unsigned`).
    private let wrap: Double?
    /// A field to be subtracted from this one: some products give the surface and the bed in place of the thickness.
    private let subtracted: [PackedField]

    /// - Parameter unit: the unit that values are converted to; nil for dimensionless numbers (masks).
    init(
        _ variable: any ProductArray, on window: GridWindow, in unit: Unit?, unitIfMissing: String? = nil,
        noData extra: [Double] = [], minus subtracted: PackedField? = nil
    ) throws {
        self.variable = variable
        self.subtracted = subtracted.map { [$0] } ?? []
        self.window = window
        guard variable.type != .text, variable.type != .string else {
            throw PlainFailure(
                "\(variable.path): variable \(quoted(variable.name)) holds text, expected numbers; download or create the file again"
            )
        }
        let dimensions = variable.dimensions
        if let extra = dimensions.first(where: {
            $0 != window.y.dimension && $0 != window.x.dimension && $0.length > 1
        }), dimensions.contains(window.y.dimension), dimensions.contains(window.x.dimension) {
            throw PlainFailure(
                "\(variable.path): variable \(quoted(variable.name)) \(shape(variable.shape)) has \(extra.length) values along \(quoted(extra.name)) for each cell, expected one; select one, for example with: ncks -d \(shellWord(extra.name)),0 \(shellWord(variable.path)) OUT.nc"
            )
        }
        guard let rowPosition = dimensions.firstIndex(of: window.y.dimension),
            let columnPosition = dimensions.firstIndex(of: window.x.dimension),
            dimensions.enumerated().allSatisfy({ $0 == rowPosition || $0 == columnPosition || $1.length == 1 })
        else {
            throw PlainFailure.shapesDisagree(
                variable, with: "\(window.y.dimension.name), \(window.x.dimension.name)",
                [window.y.dimension.length, window.x.dimension.length])
        }
        self.rowPosition = rowPosition
        self.columnPosition = columnPosition
        let toUnit = try PackedField.factor(of: variable, to: unit, ifMissing: unitIfMissing)
        scale = try PackedField.number("scale_factor", of: variable, default: 1) { $0 != 0 } * toUnit
        offset = try PackedField.number("add_offset", of: variable, default: 0) { _ in true } * toUnit
        let wrap = PackedField.wrap(of: variable)
        self.wrap = wrap
        noData = try PackedField.declaredNoData(of: variable).map { $0 < 0 ? $0 + (wrap ?? 0) : $0 } + extra
        // A mask's codes are checked against its legend.
        valid = unit == nil ? nil : try PackedField.validRange(of: variable)
    }

    /// Values, in this field's unit, that people and programs write for "no data" and may forget to declare. None for packed
    /// integers: any of these may be a valid value.
    var undeclaredMarks: [Double] {
        guard variable.type == .float || variable.type == .double, variable.attribute("scale_factor") == nil,
            variable.attribute("add_offset") == nil
        else { return [] }
        return [-999, -9999, -99999, -32767, -32768, -2_147_483_647, -2_147_483_648, 99999, 999_999].map {
            $0 * scale + offset
        }
    }

    /// Rows in a chunk of the file.
    var chunkRows: Int { max(1, variable.chunkLengths?[rowPosition] ?? 1) }

    /// Values of cells, row-major in the window's order: NaN where there is none, infinite where it is outside `valid`.
    func read(rows: Range<Int>, columns: Range<Int>) throws -> [Double] {
        var values = try readOwn(rows: rows, columns: columns)
        for field in subtracted {
            for (place, value) in try field.readOwn(rows: rows, columns: columns).enumerated() {
                values[place] -= value
            }
        }
        return values
    }

    private func readOwn(rows: Range<Int>, columns: Range<Int>) throws -> [Double] {
        let (x, y) = (window.x, window.y)
        let fileRows = rows.lowerBound + y.range.lowerBound..<rows.upperBound + y.range.lowerBound
        let fileColumns = columns.lowerBound + x.range.lowerBound..<columns.upperBound + x.range.lowerBound
        var start = [Int](repeating: 0, count: variable.dimensions.count)
        var count = [Int](repeating: 1, count: variable.dimensions.count)
        start[rowPosition] = y.fileStart(of: fileRows)
        count[rowPosition] = rows.count
        start[columnPosition] = x.fileStart(of: fileColumns)
        count[columnPosition] = columns.count
        var values = try variable.numbers(start: start, count: count)
        for index in values.indices { values[index] = physical(values[index]) }
        if rowPosition < columnPosition, !y.isReversed, !x.isReversed { return values }

        let strides = rowPosition < columnPosition ? (row: columns.count, column: 1) : (row: 1, column: rows.count)
        var reordered = [Double](repeating: 0, count: values.count)
        for row in 0..<rows.count {
            let fileRow = y.isReversed ? rows.count - 1 - row : row
            for column in 0..<columns.count {
                let fileColumn = x.isReversed ? columns.count - 1 - column : column
                reordered[row * columns.count + column] = values[fileRow * strides.row + fileColumn * strides.column]
            }
        }
        return reordered
    }

    /// Compares fill values before unpacking: a packed variable declares them packed.
    private func physical(_ stored: Double) -> Double {
        let raw = stored < 0 ? stored + (wrap ?? 0) : stored
        guard abs(raw) < 1e20, !noData.contains(raw) else { return .nan }
        if let valid, !valid.contains(raw) { return .infinity }
        return raw * scale + offset
    }

    // MARK: attributes

    /// What converts the variable's values to a unit.
    static func factor(of variable: any ProductArray, to unit: Unit?, ifMissing: String?) throws -> Double {
        guard let unit else { return 1 }
        let attribute = variable.attribute("units")
        guard let stated = attribute.map(\.text) ?? "" else {
            throw PlainFailure.badAttribute("units", of: variable, expected: "text like '\(unit.symbol)'")
        }
        let (name, path) = (variable.name, variable.path)
        guard let text = stated.trimmingBlanks().isEmpty ? ifMissing : stated.trimmingBlanks() else {
            throw PlainFailure(
                "\(path): variable \(quoted(name)) has no units; add the attribute, for example with: ncatted -a units,\(name),c,c,'\(unit.symbol)' \(shellWord(path))"
            )
        }
        guard let found = Unit(text), found.dimension == unit.dimension else {
            throw PlainFailure(
                text.lowercased().hasPrefix("degree")
                    ? "\(path): variable \(quoted(name)) is in \(quoted(text)): a grid of longitude and latitude; the equations need metres, so reproject it to polar stereographic coordinates first, for Antarctica with gdalwarp -t_srs EPSG:3031 (vector components must be rotated as well)"
                    : "\(path): variable \(quoted(name)) has the unknown unit \(quoted(text)); expected one like '\(unit.symbol)'"
            )
        }
        // Exactly one for equal units, so that values keep their bits.
        return found.factor == unit.factor ? 1 : found.factor / unit.factor
    }

    private static func number(
        _ name: String, of variable: any ProductArray, default value: Double, isGood: (Double) -> Bool
    ) throws -> Double {
        guard let attribute = variable.attribute(name) else { return value }
        guard let number = attribute.number, number.isFinite, isGood(number) else {
            throw PlainFailure.badAttribute(name, of: variable, expected: "a finite number, not zero")
        }
        return number
    }

    /// The classic format has no unsigned integers, so that files tell them by an attribute.
    static func wrap(of variable: any ProductArray) -> Double? {
        guard variable.attribute("_Unsigned")?.text?.trimmingBlanks().lowercased() == "true" else { return nil }
        return switch variable.type {
        case .int8: 256
        case .int16: 65536
        case .int32: 4_294_967_296
        default: nil
        }
    }

    private static func declaredNoData(of variable: any ProductArray) throws -> [Double] {
        var values: [Double] = []
        for name in ["_FillValue", "missing_value"] {
            guard let attribute = variable.attribute(name) else { continue }
            guard let numbers = attribute.numbers ?? attribute.number.map({ [$0] }) else {
                throw PlainFailure.badAttribute(name, of: variable, expected: "a number")
            }
            values += numbers.map { variable.type == .float ? Double(Float($0)) : $0 }
        }
        if values.isEmpty, wrap(of: variable) == nil, let fill = defaultFill(of: variable.type) { values.append(fill) }
        return values
    }

    /// valid_range, or valid_min and valid_max (NetCDF User's Guide, appendix A). Ignored for packed variables: whether theirs are
    /// packed depends on the type of the attribute, and files get it wrong.
    private static func validRange(of variable: any ProductArray) throws -> ClosedRange<Double>? {
        guard variable.attribute("scale_factor") == nil, variable.attribute("add_offset") == nil,
            wrap(of: variable) == nil
        else { return nil }
        // Rounded like the variable's values.
        func rounded(_ number: Double) -> Double { variable.type == .float ? Double(Float(number)) : number }
        if let attribute = variable.attribute("valid_range") {
            guard let numbers = attribute.numbers, numbers.count == 2, numbers[0] <= numbers[1] else {
                throw PlainFailure.badAttribute(
                    "valid_range", of: variable, expected: "two numbers, the smaller first")
            }
            return rounded(numbers[0])...rounded(numbers[1])
        }
        func limit(_ name: String) throws -> Double? {
            guard let attribute = variable.attribute(name) else { return nil }
            guard let numbers = attribute.numbers, numbers.count == 1, !numbers[0].isNaN else {
                throw PlainFailure.badAttribute(name, of: variable, expected: "a number")
            }
            return rounded(numbers[0])
        }
        let limits = (try limit("valid_min"), try limit("valid_max"))
        guard limits.0 != nil || limits.1 != nil else { return nil }
        let (low, high) = (limits.0 ?? -.infinity, limits.1 ?? .infinity)
        guard low <= high else {
            throw PlainFailure.badAttribute(
                "valid_min", of: variable, found: plain(low), expected: "no more than valid_max, \(plain(high))")
        }
        return low...high
    }

    /// netCDF's default fill value of integers. That of bytes may be a valid value, and those of floats are beyond 1e20.
    private static func defaultFill(of type: VariableType) -> Double? {
        switch type {
        case .int16: -32767
        case .uint16: 65535
        case .int32: -2_147_483_647
        case .uint32: 4_294_967_295
        default: nil
        }
    }
}
