import Export
import Fields
import Foundation
import NetCDFFiles
import Planning
import PointStore
import Runs

/// What a trained network says of its shelf, as pictures: one HTML page without scripts that needs nothing but itself, or PNG
/// files.
public struct Report {
    let run: TrainedRun
    let runPath: String
    let sections: [MapSection]
    let samples: [MisfitSample]
    /// Of the run, or of the first members of an ensemble.
    var histories: [History] { run.histories }
    /// Of a momentum residual of one [Pa].
    let drivingStress: Double

    /// Histories of more members would be one thick line.
    public static let maxHistories = 50

    /// Pixels and observations that are visited by `init`, for progress.
    public static func work(_ run: TrainedRun) -> Int { MapMaker.work(run.store) + MisfitSample.work(run.store) }

    /// What a report holds at once: the most points of one evaluation, and the arrays besides it.
    public static func memory(_ run: TrainedRun, fields: Int) -> (points: Int, parts: [MemoryEstimate.Part]) {
        let points = max(MapMaker.portion, MisfitSample.most)
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
    ///   - full: the run's prediction with what is derived.
    ///   - plain: the same without.
    ///   - report: called with the pixels and observations that were done; ends the work by throwing.
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
        guard !sections.isEmpty else { throw ReportError.noIce(store: run.store.path) }
        drivingStress = run.store.description.scales.momentum(run.checkpoint.configuration.constants)
    }

    var maps: [FieldMap] { sections.flatMap(\.maps) }
    var ice: IceMask { run.store.description.ice }

    // MARK: files

    /// Writes the page whole, or leaves what was there.
    ///
    /// - Parameter command: the command line that is at work.
    public func write(to path: String, command: String, date: Date = Date()) throws {
        try AtomicFile.write(Array(page(command: command, date: date).utf8), to: path, as: "the report")
    }

    /// Writes the maps, each whole, and returns their names.
    public func writeMaps(to folder: String) throws -> [String] {
        try Report.checkFolder(folder)
        try Report.makeFolder(folder)
        let names = maps.map { "\($0.name).png" }
        // Before the first is written.
        for name in names { try Report.checkMap("\(folder)/\(name)") }
        for (map, name) in zip(maps, names) {
            try AtomicFile.write(
                map.labelledPicture(ice: ice).encoded(title: map.title), to: "\(folder)/\(name)", as: "a map")
        }
        return names
    }

    /// Anything but an older report stays what it is.
    public static func checkOutput(_ path: String) throws {
        if access(path, F_OK) == 0 {
            guard beginning(of: path).contains(generator) else { throw ReportError.notAReport(path: path) }
        }
        // Whether it can be written is told before the work.
        try AtomicFile(replacing: path).discard()
    }

    /// Whether maps can be written there, told before the work. A folder that is not there is made with the first map.
    public static func checkFolder(_ path: String) throws {
        var info = stat()
        guard stat(path, &info) == 0 else {
            let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
            guard access(parent, W_OK) == 0 else {
                throw ReportError.noFolder(path: path, reason: String(cString: strerror(errno)))
            }
            return
        }
        if info.st_mode & S_IFMT != S_IFDIR {
            throw ReportError.noFolder(path: path, reason: "a file has that name")
        }
    }

    private static func makeFolder(_ path: String) throws {
        if mkdir(path, 0o777) != 0, errno != EEXIST {
            throw ReportError.noFolder(path: path, reason: String(cString: strerror(errno)))
        }
    }

    private static func checkMap(_ path: String) throws {
        guard access(path, F_OK) == 0 else { return }
        guard beginning(of: path).contains(PNG.software) else { throw ReportError.notAMap(path: path) }
    }

    /// What the first bytes of our own files say.
    static let generator = "IceShelfPINN report 1"

    private static func beginning(of path: String) -> String {
        // Opening a pipe would wait for its other end.
        var info = stat()
        guard stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG,
            let handle = FileHandle(forReadingAtPath: path)
        else { return "" }
        defer { try? handle.close() }
        return String(decoding: (try? handle.read(upToCount: 512)) ?? Data(), as: UTF8.self)
    }
}
