import CKernels
import Fields
import NetCDFFiles
import Synchronization

/// An open store: its description, and its points by ranges. Opening checks every byte but the points; these are checked
/// each time that they are loaded (`CheckedColumn`), from windows of the file at the offsets that HDF5 gives (`FileWindow`).
public final class StoreReader: Sendable {
    public let path: String
    public let description: StoreDescription
    /// Identifies this store in results made from it (`StoreFingerprint`).
    public let fingerprint: String
    /// What earlier versions wrote for it: the CRC-32C of all of its block checksums.
    private let formerFingerprint: String
    private let file: StoreFile
    private let columns: Mutex<[PointSet: [CheckedColumn]]>

    /// How points are read, for the record of a run.
    public var accessDescription: String { file.reasonForReading.map { "read with pread: \($0)" } ?? "memory-mapped" }

    /// - Parameters:
    ///   - isMapped: false: points are read with pread even where the file could be mapped.
    ///   - admit: called with the number of bytes that will be kept, before they are read; throws where there is no room.
    public init(path: String, isMapped: Bool = true, admit: (_ bytes: Int) throws -> Void = { _ in }) throws {
        self.path = path
        let identity = FileIdentity(path: path)
        try StoreReader.checkIsStore(path)
        let header = try NetCDFFile(reading: path)
        // Masks twice, as they are converted; points are not kept.
        try admit(
            header.variables.reduce(0) { sum, variable in
                let isOfPoints = PointSet.allCases.contains { $0.rawValue == variable.dimensions.first?.name }
                return sum + (isOfPoints ? 0 : 2 * variable.count * variable.type.byteCount)
            })
        description = try StoreReader.readDescription(header)
        let ranges = try StoreReader.columnRanges(of: description.counts, path: path)
        var checksums: [String: [UInt32]] = [:]
        var columns: [PointSet: [CheckedColumn]] = [:]
        for (set, bytes) in ranges {
            columns[set] = try zip(set.columns, bytes).map { column, bytes in
                let blocks: [UInt32] = try header.requireVariable(set.checksumVariable(column)).read()
                checksums[set.variable(column)] = blocks
                return try CheckedColumn(path: path, variable: set.variable(column), bytes: bytes, blocks: blocks)
            }
        }
        fingerprint = try StoreFingerprint(description, checksums: checksums) { set, points in
            try header.requireVariable(StoreNames.cells(of: set)).read(
                start: [points.lowerBound], count: [points.count])
        }.text
        formerFingerprint = StoreReader.formerFingerprint(of: checksums)
        self.columns = Mutex(columns)
        file = try StoreFile(path: path, isMapped: isMapped)
        guard file.identity == identity else { throw StoreError.replaced(path: path) }
    }

    /// Whether a result with this fingerprint was made from this store.
    public func has(fingerprint: String) -> Bool {
        fingerprint == (fingerprint.count == formerFingerprint.count ? formerFingerprint : self.fingerprint)
    }

    public func count(_ set: PointSet) -> Int { description.counts[set] ?? 0 }

    /// Reads a run of points: one array per column, in the order of `PointSet.columns`. From any thread.
    public func read(_ set: PointSet, _ points: Range<Int>) throws -> [[Float]] {
        let windows = try load([(set, points)])[set]!
        let values = windows.map { Array($0.values) }
        for window in windows { try window.requireIntact() }
        return values
    }

    /// Loads runs of points: for each set its columns, in the order of `PointSet.columns`. From any thread.
    func load(_ runs: [(set: PointSet, points: Range<Int>)]) throws -> [PointSet: [ColumnWindow]] {
        precondition(runs.allSatisfy { $0.points.upperBound <= count($0.set) })
        return try columns.withLock { columns in
            // All are on their way from the disk before the first is waited for.
            let windows = try runs.map { set, points in
                (set, points, try columns[set]!.map { try $0.window(points, of: file) })
            }
            var checked: [PointSet: [ColumnWindow]] = [:]
            for (set, points, windows) in windows {
                checked[set] = try windows.indices.map { try columns[set]![$0].check(windows[$0], points) }
            }
            return checked
        }
    }

    /// The cells of their grid that observations came from, in the order of the points.
    public func cells(of set: PointSet) throws -> [Int32] {
        // These are read by name, the points from the open file: both must be the same store.
        guard FileIdentity(path: path) == file.identity else { throw StoreError.replaced(path: path) }
        return try NetCDFFile(reading: path).requireVariable(StoreNames.cells(of: set)).read()
    }

    /// The columns with values that are NaN or infinite, and how many; nil where there are none. Reads every point.
    public func columnsNotFinite(in sets: [PointSet]) -> String? {
        let found = sets.flatMap { set in
            let counts = stride(from: 0, to: count(set), by: StoreNames.pointsPerBlock).map { start in
                let values = (try? read(set, start..<min(start + StoreNames.pointsPerBlock, count(set)))) ?? []
                return values.map { $0.count { !$0.isFinite } }
            }
            return set.columns.enumerated().compactMap { place, column -> String? in
                let sum = counts.reduce(0) { $0 + ($1.isEmpty ? 0 : $1[place]) }
                return sum == 0 ? nil : "\(sum) of \(count(set)) in \(set.variable(column))"
            }
        }
        return found.isEmpty ? nil : found.joined(separator: ", ")
    }

    // MARK: inside

    /// The integrity trailer first: libhdf5 dies on some damaged headers. Only a file without one is opened by the library, to
    /// distinguish another kind of file from a damaged store.
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

    private static func formerFingerprint(of checksums: [String: [UInt32]]) -> String {
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
                    guard offset.isFinite, scale.isFinite, scale > 0 else {
                        throw StoreError.badAttribute(
                            "scale_factor", path: file.path,
                            expected: "a positive number with an add_offset, for \(variable.name)")
                    }
                    normalizations[column] = Normalization(offset: offset, scale: scale)
                }
            }
            gridOfSet[set] = file.variable(StoreNames.cells(of: set))?.attribute("grid")?.text
        }
        // Stores from before grounded ice was supported have no such attribute.
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
