import Fields
import NetCDFFiles

/// The ice mask of a product on its grid, in the codes of `IceMask`.
struct MaskField {
    /// In addition to the codes of `IceMask`: unknown. Such a cell counts as neither ice nor ocean.
    static let unknown: UInt8 = 255

    let window: GridWindow
    /// Row-major, one byte a cell: 178 MB for all of Antarctica.
    var codes: [UInt8]
    let variableName: String
    let unknownCount: Int
    /// Whether the schema's codes were used because the file has no flag_meanings.
    let usesSchemaCodes: Bool

    init(
        reading variable: any ProductArray, of product: ProductFile, region: Region, progress: (Int, Int) throws -> Void
    ) throws {
        let window = try GridWindow(of: variable, in: product, region: region)
        var codes: [UInt8] = []
        codes.reserveCapacity(window.grid.cellCount)
        usesSchemaCodes = try MaskField.read(variable, of: product, on: window, progress: progress) { codes += $0 }
        self.window = window
        self.codes = codes
        let layers = product.maskLayers
        variableName = layers.isEmpty ? variable.name : layers.map(\.array.name).joined(separator: ", ")
        // Layers only show where ice is, so all other cells are unknown by design.
        unknownCount = layers.isEmpty ? codes.count { $0 == MaskField.unknown } : 0
    }

    /// Reads in bands and passes the codes of whole rows, row-major, to `take`.
    /// - Returns: whether the schema's codes were used.
    static func read(
        _ variable: any ProductArray, of product: ProductFile, on window: GridWindow,
        progress: (Int, Int) throws -> Void, take: ([UInt8]) throws -> Void
    ) throws -> Bool {
        guard let schema = product.schema.mask else { preconditionFailure("a mask without a schema") }
        if schema.layers != nil {
            try read(layers: product.maskLayers, of: product, on: window, progress: progress, take: take)
            return false
        }
        let field = try PackedField(variable, on: window, in: nil)
        let legend = try MaskLegend(variable, schema)
        let coverOfNoData = schema.coverOfNoData?.rawValue ?? MaskField.unknown
        for band in window.bands(chunkRows: field.chunkRows) {
            try progress(band.lowerBound, window.rows)
            var codes: [UInt8] = []
            codes.reserveCapacity(band.count * window.columns)
            var last = Double.nan
            var cover = MaskField.unknown
            for value in try field.read(rows: band, columns: 0..<window.columns) {
                // Neighbours are mostly equal, which saves most lookups.
                if value != last {
                    last = value
                    cover = value.isNaN ? coverOfNoData : try legend.cover(of: value).rawValue
                }
                codes.append(cover)
            }
            try take(codes)
        }
        return legend.usesSchemaCodes
    }

    /// Reads a mask that has a variable for each cover.
    private static func read(
        layers: [(array: any ProductArray, cover: IceMask)], of product: ProductFile, on window: GridWindow,
        progress: (Int, Int) throws -> Void, take: ([UInt8]) throws -> Void
    ) throws {
        let noData = product.noThickness
        let fields = try layers.map { try PackedField($0.array, on: window, in: nil, noData: noData) }
        for band in window.bands(chunkRows: fields[0].chunkRows) {
            try progress(band.lowerBound, window.rows)
            var codes = [UInt8](repeating: MaskField.unknown, count: band.count * window.columns)
            for (field, layer) in zip(fields, layers) {
                for (place, value) in try field.read(rows: band, columns: 0..<window.columns).enumerated()
                where value.isFinite && value != 0 && codes[place] == MaskField.unknown {
                    codes[place] = layer.cover.rawValue
                }
            }
            try take(codes)
        }
    }

    /// Makes all ice grounded: an ice sheet with its shelves is one stream without basal drag where it floats.
    mutating func joinFloatingToGrounded() {
        for cell in codes.indices where codes[cell] == IceMask.floatingIce.rawValue {
            codes[cell] = IceMask.groundedIce.rawValue
        }
    }

    /// The cover at the cells of another grid: that of the mask's cell which contains their centre.
    func sampled(on other: GridWindow) throws -> [UInt8] {
        if other.isSameGrid(as: window) { return codes }
        let nearest = NearestCells(from: other.grid, to: window.grid)
        guard !nearest.isEmpty else {
            throw PlainFailure.gridsDoNotOverlap(other, window)
        }
        var sampled = [UInt8](repeating: MaskField.unknown, count: other.grid.cellCount)
        for row in 0..<other.rows {
            for column in 0..<other.columns {
                if let cell = nearest.cell(row: row, column: column) {
                    sampled[row * other.columns + column] = codes[cell]
                }
            }
        }
        return sampled
    }
}

/// The meaning of a mask's numbers: the file's own flag_meanings, because masks of different products use the same numbers for
/// different covers; the schema's codes where the file has none.
private struct MaskLegend {
    let usesSchemaCodes: Bool
    private var covers: [Int: IceMask] = [:]
    private var unknownWords: [Int: String] = [:]
    private let variable: any ProductArray
    private let knownWords: [String]

    init(_ variable: any ProductArray, _ schema: ProductSchema.Mask) throws {
        self.variable = variable
        let words = schema.coverOfWord
        knownWords = words.keys.sorted()
        let meanings = variable.attribute("flag_meanings")?.text?.split { " ,\t\n".contains($0) }.map(String.init)
        // They have the variable's type, whose values may be unsigned (`_Unsigned`).
        let range = PackedField.wrap(of: variable) ?? 0
        let values = variable.attribute("flag_values")?.numbers?.map { $0 < 0 ? $0 + range : $0 }
        if let meanings, let values, meanings.count != values.count {
            throw PlainFailure(
                "\(variable.path): variable \(quoted(variable.name)) has \(values.count) flag_values and \(meanings.count) flag_meanings; each value needs a meaning, correct the attributes"
            )
        }
        guard let meanings, let values, !values.isEmpty else {
            covers = schema.coverOfCode
            usesSchemaCodes = true
            return
        }
        usesSchemaCodes = false
        for (value, meaning) in zip(values, meanings) {
            guard let code = Int(exactly: value) else { continue }
            if let cover = words[meaning.lowercased()] { covers[code] = cover } else { unknownWords[code] = meaning }
        }
    }

    func cover(of value: Double) throws -> IceMask {
        let code = Int(exactly: value)
        if let cover = code.flatMap({ covers[$0] }) { return cover }
        if let word = code.flatMap({ unknownWords[$0] }) {
            throw PlainFailure(
                "\(variable.path): variable \(quoted(variable.name)) has the flag meaning \(quoted(word)); known are \(list(knownWords))"
            )
        }
        throw PlainFailure(
            "\(variable.path): variable \(quoted(variable.name)) holds \(plain(value)), known are \(covers.keys.sorted().map(String.init).joined(separator: ", ")); check the version of the product, or give the mask flag_values and flag_meanings"
        )
    }
}
