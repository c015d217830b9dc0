import Fields
import PointStore

/// What an ingest would do, from the files' headers and their mask: nothing else is read, and nothing is written.
public struct IngestPreview: Sendable {
    public struct Input: Sendable {
        public var source: IngestReport.Source
        /// Cells of the selected ice: an upper limit of the observations.
        public var iceCells: Int
        /// Numbers that are read from the file.
        public var values: Int
    }

    public internal(set) var inputs: [Input] = []
    public internal(set) var ice = IceMask.floatingIce
    public internal(set) var points = 0
    public internal(set) var store = ""
    public internal(set) var warnings: [String] = []
    /// Time to read the mask [s], and its number of cells.
    var maskSeconds = 0.0
    var maskCells = 0
    /// Needed at most, as the caller counts it; 0 where it does not.
    var memoryBytes = 0

    /// Bytes of the store: the columns of every point and the masks of the grids.
    public var storeBytes: Int {
        var bytes = PointSet.collocation.columns.count * 4 * points
        for input in inputs {
            let set = PointSet(rawValue: input.source.role) ?? .velocity
            bytes += input.iceCells * (set.columns.count * 4 + 4)
            if set != .surface { bytes += input.source.rows * input.source.columns }
        }
        return bytes
    }

    /// Collocation points that one core computes and writes per second: 1e8 took 8 s (README.md of this folder).
    private static let pointsPerSecond = 1e7

    /// Estimated time [s]: the fields are assumed to be read at the rate of the mask.
    public var seconds: Double {
        let values = Double(inputs.reduce(0) { $0 + $1.values } + maskCells)
        return maskSeconds / Double(max(1, maskCells)) * values + Double(points) / IngestPreview.pointsPerSecond
    }

    /// The preview as lines of text.
    public var lines: [String] {
        inputs.flatMap { $0.source.lines(", \($0.iceCells) of them \(ice.adjective) ice") } + [
            IngestReport.row("collocation", "\(points) points"),
            IngestReport.row("store", "\(store), about \(IngestReport.rounded(Double(storeBytes) / 1e6)) MB"),
            IngestReport.row("memory", "up to \(NumberText.bytes(memoryBytes)), with the processes that read"),
            IngestReport.row("time", "about \(seconds < 1 ? "a second" : "\(Int(seconds.rounded(.up))) s")"),
            "nothing was written (--dry-run)",
        ]
    }
}

extension IngestRun {
    /// What `run` would do. It fails with the same errors, as far as headers and mask show them.
    public func preview() throws -> IngestPreview {
        var report = IngestReport()
        let files = try inputs()
        let begin = ContinuousClock.now
        let place = try place(in: files, &report)
        let ((mask, velocityMask, thicknessMask), memory) = try admittedMask(files, place, &report)
        var preview = IngestPreview()
        preview.memoryBytes = memory
        preview.maskSeconds = (ContinuousClock.now - begin) / .seconds(1)
        preview.maskCells = mask.codes.count
        let cells = [velocityMask, thicknessMask].map { codes in codes.count { $0 == request.ice.rawValue } }
        let hasErrors = [
            files.velocity.schema.velocity?.errorX != nil, files.thickness.schema.thickness?.error != nil,
        ]
        let sources = sources(files, place)
        for (number, source) in sources.enumerated() {
            let values = (number == 0 ? 2 : 1) * (hasErrors[number] ? 2 : 1) * source.rows * source.columns
            preview.inputs.append(.init(source: source, iceCells: cells[number], values: values))
        }
        if request.ice != .floatingIce {
            var source = sources[1]
            source.role = PointSet.surface.rawValue
            preview.inputs.append(
                .init(source: source, iceCells: cells[1], values: source.rows * source.columns))
        }
        preview.ice = request.ice
        let shelf = mask.codes.count { $0 == request.ice.rawValue }
        preview.points = request.points ?? IngestRequest.defaultPoints(cells: shelf)
        preview.store = request.store
        preview.warnings = report.warnings
        return preview
    }
}
