import Fields
import NetCDFFiles

/// What covers the cells of a product's grid, in the codes of `IceMask`.
struct MaskField {
    /// Beside the codes of `IceMask`: the product does not say. Such a cell is no floating ice and no ocean either.
    static let unknown: UInt8 = 255

    let window: GridWindow
    /// Row-major, one byte a cell: all of Antarctica is 178 MB.
    let codes: [UInt8]
    let variableName: String
    let unknownCount: Int
    /// Whether codes were taken by the schema because the file has no flag_meanings.
    let usesSchemaCodes: Bool

    init(
        reading variable: any ProductArray, of product: ProductFile, region: Region, progress: (Int, Int) throws -> Void
    )
        throws
    {
        guard let schema = product.schema.mask else {
            throw IngestError.noMask(path: product.path, sought: [], present: product.variableNames)
        }
        let window = try GridWindow(of: variable, in: product, region: region)
        if schema.layers != nil {
            self = try MaskField(layers: product.maskLayers, of: product, on: window, progress: progress)
            return
        }
        let field = try PackedField(variable, on: window, in: nil)
        let legend = MaskLegend(variable, schema)
        let coverOfNoData = schema.coverOfNoData?.rawValue ?? MaskField.unknown
        var codes: [UInt8] = []
        codes.reserveCapacity(window.grid.cellCount)
        for band in window.bands(chunkRows: field.chunkRows) {
            try progress(band.lowerBound, window.rows)
            var last = Double.nan
            var cover = MaskField.unknown
            for value in try field.read(rows: band, columns: 0..<window.columns) {
                // Neighbours are mostly alike, so the table is rarely asked.
                if value != last {
                    last = value
                    cover = value.isNaN ? coverOfNoData : try legend.cover(of: value).rawValue
                }
                codes.append(cover)
            }
        }
        self.window = window
        self.codes = codes
        variableName = variable.name
        unknownCount = codes.reduce(0) { $0 + ($1 == MaskField.unknown ? 1 : 0) }
        usesSchemaCodes = legend.usesSchemaCodes
    }

    /// A mask that is told by a variable for each cover.
    private init(
        layers: [(array: any ProductArray, cover: IceMask)], of product: ProductFile, on window: GridWindow,
        progress: (Int, Int) throws -> Void
    ) throws {
        let noData = product.noThickness
        let fields = try layers.map { try PackedField($0.array, on: window, in: nil, noData: noData) }
        var codes = [UInt8](repeating: MaskField.unknown, count: window.grid.cellCount)
        for band in window.bands(chunkRows: fields[0].chunkRows) {
            try progress(band.lowerBound, window.rows)
            let first = band.lowerBound * window.columns
            for (field, layer) in zip(fields, layers) {
                for (place, value) in try field.read(rows: band, columns: 0..<window.columns).enumerated()
                where value.isFinite && value != 0 && codes[first + place] == MaskField.unknown {
                    codes[first + place] = layer.cover.rawValue
                }
            }
        }
        self.window = window
        self.codes = codes
        variableName = layers.map(\.array.name).joined(separator: ", ")
        // The layers say where ice is; that they say nothing of the rest is how the product is.
        unknownCount = 0
        usesSchemaCodes = false
    }

    /// The cover at the cells of another grid: that of the mask's cell in which their centres lie.
    func sampled(on other: GridWindow) throws -> [UInt8] {
        if other.isSameGrid(as: window) { return codes }
        let nearest = NearestCells(from: other.grid, to: window.grid)
        guard !nearest.isEmpty else {
            throw IngestError.gridsDoNotOverlap(other.path, other.extent, window.path, window.extent)
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

/// What the numbers of a mask mean: by the file's own flag_meanings, because masks of different products share numbers
/// and differ in meaning; by the schema's codes where the file says nothing.
private struct MaskLegend {
    let usesSchemaCodes: Bool
    private let covers: [Int: IceMask]
    private let unknownWords: [Int: String]
    private let variable: any ProductArray
    private let knownWords: [String]

    init(_ variable: any ProductArray, _ schema: ProductSchema.Mask) {
        self.variable = variable
        let words = schema.coverOfWord
        knownWords = words.keys.sorted()
        let meanings = variable.attribute("flag_meanings")?.text?.split(whereSeparator: { " ,\t\n".contains($0) }).map(
            String.init)
        let values = variable.attribute("flag_values")?.numbers
        guard let meanings, let values, meanings.count == values.count, !values.isEmpty else {
            covers = schema.coverOfCode
            unknownWords = [:]
            usesSchemaCodes = true
            return
        }
        var covers: [Int: IceMask] = [:]
        var unknownWords: [Int: String] = [:]
        for (value, meaning) in zip(values, meanings) {
            guard let code = Int(exactly: value) else { continue }
            if let cover = words[meaning.lowercased()] { covers[code] = cover } else { unknownWords[code] = meaning }
        }
        self.covers = covers
        self.unknownWords = unknownWords
        usesSchemaCodes = false
    }

    func cover(of value: Double) throws -> IceMask {
        let code = Int(exactly: value)
        if let code, let cover = covers[code] { return cover }
        if let code, let word = unknownWords[code] {
            throw IngestError.unknownMaskMeaning(word, variable: variable.name, path: variable.path, known: knownWords)
        }
        throw IngestError.unknownMaskValue(
            value, variable: variable.name, path: variable.path, known: covers.keys.sorted())
    }
}
