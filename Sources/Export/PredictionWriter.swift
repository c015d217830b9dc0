import Fields
import Glibc
import NetCDFFiles
import Planning
import PointStore

/// Writes a prediction on the grids of the products as CF NetCDF, band of rows by band of rows: memory is that of a band
/// and of the observations, whatever the size of the grid.
public struct PredictionWriter {
    private let prediction: Prediction
    private let grids: [TargetGrid]
    private let command: String

    /// Rows of a band, and of a chunk in the file: no chunk is written twice.
    private static let bandRows = 64
    private static let chunkColumns = 256

    /// - Parameters:
    ///   - gridNames: nil for all grids of the store, or for the first where a spacing is given.
    ///   - region: nil for all of a grid.
    ///   - spacing: distance of cell centres [m]; nil for the grids' own.
    ///   - command: the command line, for the file's history.
    public init(
        _ prediction: Prediction, gridNames: [String]?, region: Region? = nil, spacing: Double? = nil, command: String
    ) throws {
        self.prediction = prediction
        self.command = command
        grids = try TargetGrid.targets(
            in: prediction.store.description, named: gridNames, region: region, spacing: spacing)
    }

    /// What writing to grids holds at once, asked before a prediction is made: the most points of one evaluation, and the
    /// arrays besides it.
    public static func memory(
        _ store: StoreReader, gridNames: [String]?, region: Region?, spacing: Double?, fields: Int, members: Int,
        hasDeviations: Bool = false
    ) throws -> (points: Int, parts: [MemoryEstimate.Part]) {
        let targets = try TargetGrid.targets(
            in: store.description, named: gridNames, region: region, spacing: spacing)
        let cells = targets.map { min(bandRows, $0.grid.rows) * $0.grid.columns }.max() ?? 0
        // With the misfits to u, v, h and s, and the mask.
        let variables = (members > 1 || hasDeviations ? 2 : 1) * fields + (hasDeviations ? 7 : 5)
        let observations = targets.filter(\.hasObservations).map { target in
            ObservedCells.byteCount(of: store.description.sets(on: target.name), in: store)
        }
        return (
            cells,
            [
                .init(
                    name: "a band of rows",
                    bytes: 4 * variables * cells
                        + Prediction.byteCount(points: cells, fields: fields, members: members),
                    remedy: "a smaller --region or fewer --fields"),
                .init(name: "observations", bytes: observations.max() ?? 0, remedy: "--spacing-m, which needs none"),
                .init(
                    name: "chunks of the file", bytes: targets.count * variables * NetCDFFile.chunkCacheBytes,
                    remedy: "fewer --fields"),
            ]
        )
    }

    /// Cells on which the prediction is evaluated.
    public var cellCount: Int {
        let ice = prediction.store.description.ice.rawValue
        return grids.reduce(0) { sum, grid in
            (0..<grid.grid.rows).reduce(sum) { $0 + grid.mask(rows: $1..<$1 + 1).count { $0 == ice } }
        }
    }

    /// Only an older prediction is replaced: a store, a checkpoint or a product must not be lost to a mistyped name.
    public static func checkOutput(_ path: String) throws {
        guard access(path, F_OK) == 0 else { return }
        guard try NetCDFFile.says("format", beginningWith: Prediction.format, path: path) else {
            throw PlainFailure.notAPrediction(path)
        }
    }

    /// `report` is called after each band, and where a band takes long within it; it cancels the work by throwing.
    ///
    /// - Returns: cells where a flagged field is not determined, by its name.
    @discardableResult
    public func write(to path: String, report: (_ cellsDone: Int) throws -> Void) throws -> [String: Int] {
        let pending = try AtomicFile(replacing: path)
        let file = try NetCDFFile(creating: pending.temporaryPath)
        try prediction.writeProvenance(to: file, command: command)
        // The first grid stands at the root, others in groups of their own names (CF-1.8, section 2.7): a grid mapping may
        // have one pair of coordinates only.
        let layouts = try grids.enumerated().map { number, target in
            try GridLayout(
                target, in: number == 0 ? file : file.define(group: target.name), prediction,
                chunk: [
                    min(PredictionWriter.bandRows, target.grid.rows),
                    min(PredictionWriter.chunkColumns, target.grid.columns),
                ])
        }
        let eigenvalues = try prediction.defineEigenvalues(in: file)
        try file.endDefinitions()
        try eigenvalues?.variable.write(eigenvalues!.values)
        var done = 0
        var open: [String: Int] = [:]
        for layout in layouts {
            try layout.writeAxes()
            let observations = try layout.observedSets.map {
                try ObservedCells(reading: $0, of: prediction.store, on: layout.target)
            }
            let rows = layout.target.grid.rows
            for first in stride(from: 0, to: rows, by: PredictionWriter.bandRows) {
                let band = first..<min(first + PredictionWriter.bandRows, rows)
                done += try writeBand(band, of: layout, observations, open: &open) { try report(done) }
                try report(done)
            }
        }
        try file.close()
        try pending.commit()
        return open
    }

    /// - Parameter open: cells where a flagged field is not determined are added.
    /// - Returns: cells on the ice.
    private func writeBand(
        _ rows: Range<Int>, of layout: GridLayout, _ observations: [ObservedCells], open: inout [String: Int],
        check: () throws -> Void
    ) throws -> Int {
        let grid = layout.target.grid
        let cells = rows.lowerBound * grid.columns..<rows.upperBound * grid.columns
        let mask = layout.target.mask(rows: rows)
        let covered = cells.filter { mask[$0 - cells.lowerBound] == prediction.store.description.ice.rawValue }
        let values = try prediction.fields(
            x: covered.map { grid.x[$0 % grid.columns] }, y: covered.map { grid.y[$0 / grid.columns] },
            check: check)
        for (field, flags) in zip(prediction.flaggedFields, values.flags) {
            open[field.name, default: 0] += flags.count { $0 == 0 }
        }
        let empty = [Float](repeating: GridLayout.fill, count: cells.count)
        var bands: [String: [Float]] = [:]
        for (name, column) in zip(prediction.columnNames, values.values + values.deviations + values.flags) {
            var band = empty
            for (cell, value) in zip(covered, column) { band[cell - cells.lowerBound] = value }
            bands[name] = band
        }
        for observed in observations {
            for (column, physical) in observed.values {
                guard let predicted = bands[column.rawValue] else { continue }
                var misfit = empty
                for place in observed.places(in: cells) {
                    let cell = Int(observed.cells[place]) - cells.lowerBound
                    if predicted[cell] != GridLayout.fill { misfit[cell] = predicted[cell] - physical[place] }
                }
                bands[column.misfitName] = misfit
            }
        }
        try layout.write(bands, mask: mask, rows: rows)
        return covered.count
    }
}

extension PlainFailure {
    static func notAPrediction(_ path: String) -> PlainFailure {
        PlainFailure(.usage, "\(path): exists and is no prediction; it is not replaced, choose another name")
    }
}
