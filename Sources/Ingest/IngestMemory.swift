import Fields
import NetCDFFiles

/// The most memory that an ingest holds at once, its readers included: from the headers before the mask is read, and from the
/// mask before anything else is.
struct IngestMemory {
    typealias Part = (name: String, bytes: Int, remedy: String?)

    private(set) var parts: [Part]
    /// Of velocity and thickness: bytes that are held for a cell of a band, its rows, and all columns.
    private let bands: [(bytes: Int, rows: Int, columns: Int)]
    private static let remedy = "a smaller --region"
    /// Of a band of the mask: as it is read, as the reader shares it, and as codes.
    private static let maskBytes = 8 + 8 + 2

    /// What a reader holds besides the program's own code.
    private static let reader = 12 << 20
    /// Portions of points on their way into the store.
    private static let portions = 32 << 20
    /// Of a face of the front: its place among the others, the line and the point that it becomes.
    private static let bytesPerFace = 300

    /// What reading takes, whatever is found.
    init(
        _ files: IngestRun.Inputs, _ place: IngestRun.Place, mask variable: any ProductArray, on mask: GridWindow
    ) throws {
        let (velocity, thickness) = (files.velocity, files.thickness)
        let errors = [velocity.schema.velocity?.errorX, velocity.schema.velocity?.errorY]
        let others = [thickness.schema.thickness?.error, thickness.schema.thickness?.minus]
        let fields = [
            [files.components.x, files.components.y] + errors.compactMap { velocity.first($0) },
            [try thickness.requireThickness()] + others.compactMap { thickness.first($0) },
        ]
        // A band of every field, one more as it is read, turned, or subtracted, and the memory that the reader shares.
        bands = zip(fields, [place.velocityGrid, place.thicknessGrid]).map { fields, window in
            (8 * (fields.count + 2), window.bandRows(of: fields[0]), window.columns)
        }
        let surface = [thickness.first(thickness.schema.surface?.variable)].compactMap { $0 }
        let caches = (fields.joined() + surface + [variable]).reduce(0) { $0 + IngestMemory.cacheBytes(of: $1) }
        let windows = [mask, place.velocityGrid, place.thicknessGrid]
        // Of one grid there is one mask, until a polygon or a shelf is cut out of it.
        let isCut = files.polygon != nil || place.shelves != nil
        let masks = windows.indices.filter { number in
            isCut || !windows[..<number].contains { $0.isSameGrid(as: windows[number]) }
        }
        parts = [
            (
                "the processes that read", Set([velocity.path, thickness.path]).count * IngestMemory.reader + caches,
                nil
            ),
            ("masks", masks.reduce(0) { $0 + windows[$1].grid.cellCount }, IngestMemory.remedy),
            ("bands", IngestMemory.bytes(ofMask: variable, on: mask), IngestMemory.remedy),
        ]
    }

    /// What a band of a mask takes while it is read.
    static func bytes(ofMask variable: any ProductArray, on window: GridWindow) -> Int {
        maskBytes * window.bandRows(of: variable) * window.columns
    }

    /// With the values at the cells of the ice.
    mutating func add(_ masks: (mask: MaskField, velocity: [UInt8], thickness: [UInt8]), ice: IceMask) {
        let all = [masks.velocity, masks.thickness, masks.mask.codes]
        let cells = all.map { $0.count(of: ice.rawValue) }
        // Numbers of the cells, values and errors, of the surface of grounded ice too.
        let values = cells[0] * (4 + 4 * 8) + cells[1] * (ice == .floatingIce ? 1 : 2) * (4 + 2 * 8) + cells[2] * 4
        let sets = (masks.velocity.count + 2 * masks.thickness.count + masks.mask.codes.count) / 8
        // Of a mask with unknown cells, the store gets another.
        let stored = all[..<2].reduce(0) { $0 + ($1.count(of: MaskField.unknown) > 0 ? $1.count : 0) }
        let faces = ice == .floatingIce ? masks.mask.codes.frontFaces(columns: masks.mask.window.columns) : 0
        let fields = zip(bands, all).map { band, codes in
            band.bytes * band.rows * codes.extent(of: ice.rawValue, columns: band.columns)
        }
        // When all bands are read, a median sorts a copy of values, and then points are made.
        let last = max(12 * (cells.max() ?? 0), IngestMemory.portions)
        parts[parts.count - 1].bytes = max(parts[parts.count - 1].bytes, fields.max() ?? 0, last)
        parts += [
            ("values on the ice", values + sets + stored, IngestMemory.remedy),
            ("faces of the front", faces * IngestMemory.bytesPerFace, IngestMemory.remedy),
        ]
    }

    /// Chunks that HDF5 keeps of a variable: netCDF's 16 MB, or ten chunks but no more than 64 MB; and one as it is decompressed.
    private static func cacheBytes(of array: any ProductArray) -> Int {
        guard let lengths = array.chunkLengths, let cells = numberOfCells(lengths) else { return 0 }
        let chunk = cells * array.type.byteCount
        let all = (numberOfCells(array.shape) ?? 0) * array.type.byteCount
        return min(all, max(16 << 20, min(10 * chunk, 64 << 20))) + 2 * min(chunk, all)
    }
}

extension GridWindow {
    /// Rows of the largest band in which a variable is read.
    fileprivate func bandRows(of variable: any ProductArray) -> Int {
        let row = variable.dimensions.firstIndex(of: y.dimension)
        let chunkRows = row.flatMap { variable.chunkLengths?[$0] } ?? 1
        return bands(chunkRows: max(1, chunkRows)).map(\.count).max() ?? 0
    }
}
