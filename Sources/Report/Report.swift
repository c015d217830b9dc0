import Export
import Fields
import Foundation
import NetCDFFiles
import Planning
import PointStore
import Runs

/// The results of a run as pictures: one self-contained HTML page without scripts, or PNG files.
public struct Report {
    let run: TrainedRun
    let runPath: String
    let sections: [MapSection]
    let samples: [MisfitSample]

    /// Largest number of histories drawn; more would merge into one thick line.
    public static let maxHistories = 50

    /// Number of pixels and observations that `init` visits, for progress.
    public static func work(_ run: TrainedRun) -> Int { MapMaker.work(run.store) + MisfitSample.work(run.store) }

    /// What a report holds at once: the most points of one evaluation, and the arrays besides it.
    public static func memory(_ run: TrainedRun, fields: Int) -> (points: Int, parts: [MemoryEstimate.Part]) {
        let points = max(MapMaker.portion, MisfitSample.maxCount)
        let members = run.members.count
        return (
            points,
            [
                .init(name: "maps", bytes: MapMaker.byteCount(run.store, fields: (members > 1 ? 2 : 1) * fields)),
                .init(
                    name: "observations",
                    bytes: points * 8 * 16 + Prediction.byteCount(points: points, fields: fields, members: members)),
            ]
        )
    }

    /// - Parameters:
    ///   - full: the run's prediction with derived fields.
    ///   - plain: the same without derived fields.
    ///   - report: called with the number of pixels and observations done since the last call; throws to stop the work.
    public init(
        _ run: TrainedRun, in directory: RunDirectory, full: Prediction, plain: Prediction,
        report: (Int) throws -> Void
    ) throws {
        self.run = run
        runPath = directory.path
        (sections, samples) = try withoutActuallyEscaping(report) { report in
            let sections = try MapMaker(full: full, plain: plain, report: report).sections()
            return (sections, try MisfitSample.samples(of: plain, report: report))
        }
        guard !sections.isEmpty else {
            throw PlainFailure(
                "\(run.store.path): none of its grids has ice to draw; run pinn-ingest again")
        }
    }

    var maps: [FieldMap] { sections.flatMap(\.maps) }
    var ice: IceMask { run.store.description.ice }

    // MARK: Files

    /// Writes the page atomically: on failure an earlier file is left as it was.
    ///
    /// - Parameter command: the command line, for the provenance.
    public func write(to path: String, command: String, date: Date = Date()) throws {
        try AtomicFile.write(Array(page(command: command, date: date).utf8), to: path, as: "the report")
    }

    /// Writes the maps, each atomically, and returns their file names.
    public func writeMaps(to folder: String) throws -> [String] {
        try makeFolder(folder)
        let names = maps.map { "\($0.name).png" }
        // All are checked before the first is written.
        for name in names {
            try requireReplaceable("\(folder)/\(name)", by: "a map of pinn-report", marked: PNG.software)
        }
        for (map, name) in zip(maps, names) {
            try AtomicFile.write(
                map.labelledPicture(ice: ice).encoded(title: map.title), to: "\(folder)/\(name)", as: "a map")
        }
        return names
    }

    /// Throws unless the path is free or holds an earlier report, and can be written.
    public static func checkOutput(_ path: String) throws {
        try requireReplaceable(path, by: "a report", marked: generator)
        // Fails now rather than after the work.
        try AtomicFile(replacing: path).discard()
    }

    /// The text that marks a file as our own report, near its beginning.
    static let generator = "IceShelfPINN report 1"
}
