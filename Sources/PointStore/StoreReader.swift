import CKernels
import Fields
import Glibc
import NetCDFFiles
import Synchronization

/// An open store: what it says, and its points by ranges. Opening checks every byte but the points; these are checked
/// each time that they are read (CheckedColumn).
///
/// Points are read with pread at the offset that HDF5 tells, not through a map: measured equal when the file is in the
/// page cache and twenty times faster under memory pressure, and a store that shrinks under a running trainer is an
/// error with a message here, where a map is a SIGBUS. The file stays open: one that is deleted, or replaced by renaming
/// another onto its name, is read on as it was.
public final class StoreReader: Sendable {
    public let path: String
    public let description: StoreDescription
    /// A short name for exactly this store, to be written beside results: the CRC-32C of all of its block checksums.
    public let fingerprint: String
    private let handle: Int32
    private let reading: Mutex<Reading>

    private struct Reading {
        var columns: [PointSet: [CheckedColumn]]
        var buffer: [UInt8]
    }

    /// - Parameter admit: called with the number of bytes that will be kept, before they are read; throws where there is no room.
    public init(path: String, admit: (_ bytes: Int) throws -> Void = { _ in }) throws {
        self.path = path
        let identity = FileIdentity(path: path)
        try StoreReader.checkIsStore(path)
        let file = try NetCDFFile(reading: path)
        // Masks twice, as they are converted; points are not kept.
        try admit(
            file.variables.reduce(0) { sum, variable in
                let isOfPoints = PointSet.allCases.contains { $0.rawValue == variable.dimensions.first?.name }
                return sum + (isOfPoints ? 0 : 2 * variable.count * variable.type.byteCount)
            })
        description = try StoreReader.readDescription(file)
        let ranges = try StoreReader.columnRanges(of: description.counts, path: path)
        var checksums: [String: [UInt32]] = [:]
        var columns: [PointSet: [CheckedColumn]] = [:]
        for (set, bytes) in ranges {
            columns[set] = try zip(set.columns, bytes).map { column, bytes in
                let blocks: [UInt32] = try file.requireVariable(set.checksumVariable(column)).read()
                checksums[set.variable(column)] = blocks
                return try CheckedColumn(path: path, variable: set.variable(column), bytes: bytes, blocks: blocks)
            }
        }
        fingerprint = StoreReader.fingerprint(of: checksums)
        reading = Mutex(
            Reading(columns: columns, buffer: [UInt8](repeating: 0, count: CheckedColumn.bufferBytes)))
        handle = open(path, O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else {
            throw StoreError.readFailed(path: path, byte: 0, reason: String(cString: strerror(errno)))
        }
        guard FileIdentity(handle: handle) == identity else { throw StoreError.replaced(path: path) }
    }

    deinit { close(handle) }

    public func count(_ set: PointSet) -> Int { description.counts[set] ?? 0 }

    /// Reads a run of points: one array a column, in the order of `PointSet.columns`. From any thread, one at a time.
    public func read(_ set: PointSet, _ points: Range<Int>, into columns: inout [[Float]]) throws {
        precondition(points.upperBound <= count(set))
        let names = set.columns
        if columns.count != names.count { columns = [[Float]](repeating: [], count: names.count) }
        try reading.withLock { reading in
            for number in names.indices {
                try reading.columns[set]![number].read(
                    points, from: handle, into: &columns[number], buffer: &reading.buffer)
            }
        }
    }

    /// The cells of their grid that observations came from, in the order of the points.
    public func cells(of set: PointSet) throws -> [Int32] {
        // These are read by name, the points from the open file: both must be the same store.
        guard FileIdentity(path: path) == FileIdentity(handle: handle) else { throw StoreError.replaced(path: path) }
        return try NetCDFFile(reading: path).requireVariable(StoreNames.cells(of: set)).read()
    }

    // MARK: inside

    /// The seal first: libhdf5 dies on some damaged headers. Only where there is none does the library look, to tell a
    /// file that is something else from a store that is damaged.
    private static func checkIsStore(_ path: String) throws {
        do {
            try IntegrityTrailer.verify(path)
        } catch let damage {
            guard case .noIntegrityTrailer = damage, let other = try? NetCDFFile(reading: path),
                other.attribute("format") == nil
            else {
                throw damage
            }
            throw StoreError.notAStore(path: path, found: "it has no attribute 'format'")
        }
    }

    private static func fingerprint(of checksums: [String: [UInt32]]) -> String {
        var all: UInt32 = 0
        for name in checksums.keys.sorted() {
            all = checksums[name]!.withUnsafeBytes { crc32c(all, $0.baseAddress!, $0.count) }
        }
        let text = String(all, radix: 16)
        return String(repeating: "0", count: 8 - text.count) + text
    }

    static func columnRanges(of counts: [PointSet: Int], path: String) throws -> [PointSet: [Range<Int>]] {
        var ranges: [PointSet: [Range<Int>]] = [:]
        for (set, count) in counts {
            ranges[set] = try set.columns.map {
                try NetCDFFile.byteRange(of: set.variable($0), count: count, byteCount: 4, path: path)
            }
        }
        return ranges
    }

    private static func readDescription(_ file: NetCDFFile) throws -> StoreDescription {
        guard let format = file.attribute("format")?.text else {
            throw StoreError.notAStore(path: file.path, found: "it has no attribute 'format'")
        }
        guard format == StoreNames.format else {
            throw StoreError.notAStore(
                path: file.path,
                found: "its format is \(quoted(format)), this program reads \(quoted(StoreNames.format))")
        }
        func number(_ name: String) throws -> Double {
            guard let value = file.attribute(name)?.number, value.isFinite, value > 0 else {
                throw StoreError.badAttribute(name, path: file.path, expected: "a positive number")
            }
            return value
        }
        guard try number(StoreNames.blockPoints) == Double(StoreNames.pointsPerBlock) else {
            throw StoreError.badAttribute(
                StoreNames.blockPoints, path: file.path, expected: "\(StoreNames.pointsPerBlock)")
        }
        guard let seed = file.attribute(StoreNames.seed)?.text.flatMap({ UInt64($0) }) else {
            throw StoreError.badAttribute(StoreNames.seed, path: file.path, expected: "a whole number")
        }
        var counts: [PointSet: Int] = [:]
        var normalizations: [Column: Normalization] = [:]
        var gridOfSet: [PointSet: String] = [:]
        for set in PointSet.allCases {
            guard let dimension = file.dimension(set.rawValue) else {
                if set.isOptional { continue }
                throw StoreError.missingSet(set, path: file.path)
            }
            counts[set] = dimension.length
            for column in set.columns {
                let variable = try file.requireVariable(set.variable(column))
                guard variable.shape == [dimension.length], variable.type == .float else {
                    throw NetCDFError.wrongShape(
                        variable: variable.name, path: file.path, found: variable.shape,
                        expected: "(\(dimension.length)) of float")
                }
                if let scale = variable.attribute("scale_factor")?.number,
                    let offset = variable.attribute("add_offset")?.number
                {
                    normalizations[column] = Normalization(offset: offset, scale: scale)
                }
            }
            gridOfSet[set] = file.variable(StoreNames.cells(of: set))?.attribute("grid")?.text
        }
        // Stores before grounded ice could be stored do not say.
        guard let ice = IceMask(name: file.attribute(StoreNames.ice)?.text ?? IceMask.floatingIce.name) else {
            throw StoreError.badAttribute(StoreNames.ice, path: file.path, expected: "floating_ice or grounded_ice")
        }
        let needed: [Column] = [.x, .y, .u, .v, .h] + (counts[.surface] == nil ? [] : [.s])
        for column in needed where normalizations[column] == nil {
            throw StoreError.badAttribute("scale_factor", path: file.path, expected: "given for \(column.rawValue)")
        }
        var description = StoreDescription(
            counts: counts, normalizations: normalizations,
            scales: Scales(
                length: try number(StoreNames.scaleLength), speed: try number(StoreNames.scaleSpeed),
                thickness: try number(StoreNames.scaleThickness)),
            grids: try readGrids(file), gridOfSet: gridOfSet, seed: seed,
            productIceDensity: file.attribute(StoreNames.iceDensity)?.number,
            productSeaWaterDensity: file.attribute(StoreNames.seaWaterDensity)?.number,
            provenance: file.attributeNames.filter { $0.hasPrefix(StoreNames.provenance) }.map {
                (name: String($0.dropFirst(StoreNames.provenance.count)), text: file.attribute($0)?.text ?? "")
            })
        description.ice = ice
        return description
    }

    private static func readGrids(_ file: NetCDFFile) throws -> [StoredGrid] {
        var grids: [StoredGrid] = []
        for name in ["velocity", "thickness"] {
            guard let mask = file.variable(StoreNames.mask(of: name)) else { continue }
            let projection = file.variable(StoreNames.projection(of: name)).map { mapping in
                Projection(
                    attributes: mapping.attributeNames.compactMap { attribute in
                        switch mapping.attribute(attribute) {
                        case .text(let text): (attribute, .text(text))
                        case .numbers(let numbers) where numbers.count == 1: (attribute, .number(numbers[0]))
                        default: nil
                        }
                    })
            }
            let grid = Grid(
                x: try file.requireVariable(StoreNames.axis("x", of: name)).read(),
                y: try file.requireVariable(StoreNames.axis("y", of: name)).read(), projection: projection)
            guard mask.shape == [grid.rows, grid.columns] else {
                throw NetCDFError.wrongShape(
                    variable: mask.name, path: file.path, found: mask.shape, expected: "(\(grid.rows), \(grid.columns))"
                )
            }
            grids.append(
                StoredGrid(name: name, grid: grid, mask: try mask.read(as: Int8.self).map { UInt8(bitPattern: $0) }))
        }
        return grids
    }
}

/// Which file a name or a handle stands for.
private struct FileIdentity: Equatable {
    private var device: dev_t = 0
    private var number: ino_t = 0

    init(path: String) {
        var info = stat()
        if stat(path, &info) == 0 { (device, number) = (info.st_dev, info.st_ino) }
    }

    init(handle: Int32) {
        var info = stat()
        if fstat(handle, &info) == 0 { (device, number) = (info.st_dev, info.st_ino) }
    }
}
