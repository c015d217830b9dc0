import CKernels
import Fields
import Glibc
import NetCDFFiles

/// Writes a store front to back without holding more than the portion at hand: sets are appended in any portions, each set's
/// points in their final (shuffled) order. The store's name does not exist before `finish()`.
public final class StoreWriter {
    private let pending: AtomicFile
    private let file: NetCDFFile
    private let description: StoreDescription
    private var written: [PointSet: Int] = [:]
    private var runningChecksum: [String: UInt32] = [:]
    private var blockChecksums: [String: [UInt32]] = [:]

    /// Bytes that the store will take, to be compared with the free space before the work.
    public static func byteCount(_ description: StoreDescription) -> Int {
        let points = PointSet.allCases.reduce(0) { sum, set in
            let columns = set.columns.count + (description.gridOfSet[set] == nil ? 0 : 1)
            return sum + (description.counts[set] ?? 0) * columns * 4
        }
        let cells = description.grids.reduce(0) { $0 + $1.grid.cellCount + 8 * ($1.grid.rows + $1.grid.columns) }
        return points + cells + (1 << 18)
    }

    /// Refuses, before any input is read, a store whose collocation points alone do not fit on the disk.
    public static func requireRoom(forCollocation points: Int, at path: String) throws {
        try requireRoom(PointSet.collocation.columns.count * 4 * points, at: path)
    }

    /// Throws where the path holds anything but a store, so that a typing error overwrites no other file. A NetCDF file of the default
    /// name is replaced even where it is damaged, as the messages about damage say.
    public static func requireReplaceable(_ path: String) throws {
        guard access(path, F_OK) == 0 else { return }
        if path == StoreNames.defaultFile || path.hasSuffix("/" + StoreNames.defaultFile),
            let start = firstBytes(of: path, 4),
            start.isEmpty || start.starts(with: Array("CDF".utf8))
                || start.starts(with: Array("\u{89}HDF".unicodeScalars.map { UInt8($0.value) }))
        {
            return
        }
        var info = stat()
        guard stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return }
        guard try NetCDFFile.says("format", beginningWith: StoreNames.anyFormat, path: path) else {
            throw StoreError.notReplaced(path: path)
        }
    }

    private static func requireRoom(_ needed: Int, at path: String) throws {
        if let free = AtomicFile.freeBytes(beside: path), free < needed {
            throw StoreError.diskTooSmall(path: path, needed: needed, free: free)
        }
    }

    /// Creates the partial file and writes all but the points. Every set must have at least one point; a store without
    /// a calving front has no `front` in `counts`, and so on.
    public init(path: String, _ description: StoreDescription) throws {
        self.description = description
        pending = try AtomicFile(replacing: path)
        try StoreWriter.requireRoom(StoreWriter.byteCount(description), at: path)
        file = try NetCDFFile(creating: pending.temporaryPath)
        try defineHeader()
        try writeGrids()
    }

    /// Appends points to a set: one array per column, in the order of `PointSet.columns`, stored (normalised) values.
    public func append(_ columns: [[Float]], to set: PointSet) throws {
        let start = written[set, default: 0]
        let count = columns[0].count
        precondition(columns.count == set.columns.count && columns.allSatisfy { $0.count == count })
        precondition(start + count <= description.counts[set] ?? 0, "more points than declared")
        for (column, values) in zip(set.columns, columns) {
            try file.requireVariable(set.variable(column)).write(values, start: [start], count: [count])
            addToChecksums(values, of: set.variable(column), from: start)
        }
        written[set] = start + count
    }

    /// The row-major cell of its grid that each observation of a set came from, in the order of the appended points.
    public func write(cells: [Int32], of set: PointSet, from start: Int = 0) throws {
        try file.requireVariable(StoreNames.cells(of: set)).write(cells, start: [start], count: [cells.count])
    }

    /// Writes the checksums, syncs the file to the disk and gives it its name.
    public func finish() throws {
        defer { pending.discard() }
        for (set, count) in description.counts {
            precondition(written[set] == count, "\(set) is incomplete")
            for column in set.columns {
                var checksums = blockChecksums[set.variable(column), default: []]
                if count % StoreNames.pointsPerBlock != 0 {
                    checksums.append(runningChecksum[set.variable(column), default: 0])
                }
                try file.requireVariable(set.checksumVariable(column)).write(checksums)
            }
        }
        try file.close()
        let ranges = try StoreReader.columnRanges(of: description.counts, path: pending.temporaryPath)
        try IntegrityTrailer.close(pending.temporaryPath, leavingOut: ranges.values.flatMap { $0 })
        try pending.commit()
    }

    // MARK: inside

    private func addToChecksums(_ values: [Float], of variable: String, from start: Int) {
        var done = 0
        while done < values.count {
            let place = (start + done) % StoreNames.pointsPerBlock
            let count = min(StoreNames.pointsPerBlock - place, values.count - done)
            let before = place == 0 ? 0 : runningChecksum[variable, default: 0]
            let checksum = values.withUnsafeBufferPointer { crc32c(before, $0.baseAddress! + done, count * 4) }
            runningChecksum[variable] = checksum
            if place + count == StoreNames.pointsPerBlock { blockChecksums[variable, default: []].append(checksum) }
            done += count
        }
    }

    private func defineHeader() throws {
        try file.setAttributes([
            "Conventions": "CF-1.8", "title": "Points for training a physics-informed network of an ice shelf",
            "format": .text(StoreNames.format), StoreNames.scaleLength: .number(description.scales.length),
            StoreNames.scaleSpeed: .number(description.scales.speed),
            StoreNames.scaleThickness: .number(description.scales.thickness),
            "seconds_per_year": .number(Constants.secondsPerYear),
            // As text: a double does not hold every 64-bit seed.
            StoreNames.seed: .text(String(description.seed)), StoreNames.ice: .text(description.ice.name),
            StoreNames.blockPoints: .number(Double(StoreNames.pointsPerBlock)),
        ])
        if let density = description.productIceDensity {
            try file.setAttribute(StoreNames.iceDensity, .number(density))
        }
        if let density = description.productSeaWaterDensity {
            try file.setAttribute(StoreNames.seaWaterDensity, .number(density))
        }
        for (name, text) in description.provenance {
            try file.setAttribute(StoreNames.provenance + name, .text(text))
        }
        for set in PointSet.allCases {
            guard let count = description.counts[set] else { continue }
            let points = try file.define(dimension: set.rawValue, length: count)
            let blocks = try file.define(
                dimension: "\(set.rawValue)_block",
                length: (count + StoreNames.pointsPerBlock - 1) / StoreNames.pointsPerBlock)
            for column in set.columns {
                let variable = try file.define(
                    variable: set.variable(column), .float, over: [points],
                    ["long_name": .text(column.longName), "units": .text(column.unit)])
                if let normalization = description.normalizations[column] {
                    try variable.setAttribute("scale_factor", .number(normalization.scale))
                    try variable.setAttribute("add_offset", .number(normalization.offset))
                }
                _ = try file.define(
                    variable: set.checksumVariable(column), .uint32, over: [blocks],
                    ["long_name": "CRC-32C of each \(StoreNames.pointsPerBlock) values of \(set.variable(column))"])
            }
            if let grid = description.gridOfSet[set] {
                _ = try file.define(
                    variable: StoreNames.cells(of: set), .int32, over: [points],
                    ["long_name": "row-major cell of the \(grid) grid, from 0", "grid": .text(grid)])
            }
        }
    }

    private func writeGrids() throws {
        // What is written once the definitions have ended.
        var values: [() throws -> Void] = []
        for stored in description.grids {
            let name = stored.name
            let rows = try file.define(dimension: StoreNames.axis("y", of: name), length: stored.grid.rows)
            let columns = try file.define(dimension: StoreNames.axis("x", of: name), length: stored.grid.columns)
            for (axis, dimension, centres) in [("y", rows, stored.grid.y), ("x", columns, stored.grid.x)] {
                let variable = try file.define(
                    variable: StoreNames.axis(axis, of: name), .double, over: [dimension],
                    [
                        "standard_name": "projection_\(axis)_coordinate",
                        "long_name": "cell centre along the projection's \(axis) axis", "units": "m",
                    ])
                values.append { try variable.write(centres) }
            }
            let mask = try file.define(
                variable: StoreNames.mask(of: name), .int8, over: [rows, columns],
                ["long_name": "cover of the cells of the \(name) grid"])
            try mask.setAttribute("flag_values", .numbers(IceMask.allCases.map { Double($0.rawValue) }), as: .int8)
            try mask.setAttribute("flag_meanings", .text(IceMask.flagMeanings))
            if let projection = stored.grid.projection {
                let mapping = try file.define(variable: StoreNames.projection(of: name), .int32, over: [])
                values.append { try mapping.writeZero() }
                try mapping.setAttributes(of: projection.attributes)
                try mask.setAttribute("grid_mapping", .text(StoreNames.projection(of: name)))
            }
            values.append { try mask.write(stored.mask.map { Int8(bitPattern: $0) }) }
        }
        try file.endDefinitions()
        for write in values { try write() }
    }
}
