import ComputeCPU
import Export
import Fields
import Foundation
import Networks
import Optimizers
import PointStore
import Report
import Runs
import TestSupport
import Testing

/// A run on the exact shelf whose network has random weights.
struct SmallRun {
    let folder: TemporaryFolder
    let directory: RunDirectory
    let run: TrainedRun

    init(cells: Int = 9) throws {
        folder = try TemporaryFolder()
        try ExactShelf.writeStore(to: folder.file("store.nc"), cells: cells)
        var configuration = TrainingConfiguration()
        configuration.store = folder.file("store.nc")
        try configuration.set("network", to: "2x8")
        var history = History(termNames: ["velocity", "equation"], units: ["m year-1", "1"])
        for iteration in 0..<5 {
            let value = 1 / Double(iteration + 1)
            history.append(total: value, terms: [value, value / 2], misfits: [100 * value, value])
        }
        directory = RunDirectory(folder.file("pinn-run"))
        try directory.acquire()
        try directory.save(
            Checkpoint(
                configuration: configuration, iteration: 5,
                parameters: configuration.networks.initialParameters(seed: 3),
                optimizer: StoredArrays(), history: history,
                storeFingerprint: try StoreReader(path: configuration.store).fingerprint, backend: "<test & co>",
                trainedSeconds: 1))
        run = try TrainedRun(in: directory, store: nil) { _ in }
    }

    func prediction(derived: Bool = true) throws -> Prediction {
        try Prediction(run.checkpoint, store: run.store, derived: derived) { CPUBackend($0, threads: 2) }
    }

    func report() throws -> Report {
        try Report(run, in: directory, full: try prediction(), plain: try prediction(derived: false)) { _ in }
    }

    func page() throws -> String {
        try report().write(to: folder.file("report.html"), command: "pinn-report \"here\" <there>")
        return try String(contentsOfFile: folder.file("report.html"), encoding: .utf8)
    }
}

@Suite struct ReportTests {
    /// Alternative texts and pictures of a page's maps.
    private func maps(_ page: String) throws -> [(alternative: String, picture: PictureFile)] {
        try page.matches(of: #/<img class="[a-z]*" alt="([^"]*)".*?base64,([^"]*)"/#).map { match in
            let data = try #require(Data(base64Encoded: String(match.2)))
            return (String(match.1), try #require(PictureFile([UInt8](data))))
        }
    }

    @Test(arguments: [9, 1200]) func aMapShowsTheCellsWhereTheyAre(_ cells: Int) throws {
        let small = try SmallRun(cells: cells)
        let page = try small.page()
        let map = try #require(try maps(page).first { $0.alternative.contains("Thickness, predicted") }).picture
        // 1200 cells are subsampled to 600.
        let step = cells > 700 ? 2 : 1
        #expect(page.contains("every 2nd row and column of the grid") == (step == 2))
        try #require(map.width == cells / step && map.height == cells / step)

        let grid = small.run.store.description.grids[0].grid
        let pixels = stride(from: 0, to: map.pixels.count, by: max(1, map.pixels.count / 500)).map { $0 }
        let shown = { (pixel: Int, count: Int) in pixel * step + step / 2 }
        let prediction = try small.prediction(derived: false)
        let values = try prediction.fields(
            x: pixels.map { grid.x[shown($0 % map.width, grid.columns)] },
            y: pixels.map { grid.y[shown($0 / map.width, grid.rows)] }
        ).values[2]
        // Larger values are farther along the colour map.
        let ordered = zip(values, pixels).sorted { $0.0 < $1.0 }.map { map.pixels[$0.1] }
        #expect(zip(ordered, ordered.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(ordered.first! < 5 && ordered.last! > 244)
    }

    @Test func thePageHoldsAllThatItShows() throws {
        let page = try SmallRun().page()
        for text in [
            "Speed, observed", "Speed, predicted", "Misfit of the velocity along x", "Misfit of the thickness",
            "Effective viscosity of ice", "Residual of the momentum x balance", "Histogram of the misfit",
            "Loss and its terms", "network = &quot;2x8&quot;", "pinn-report &quot;here&quot; &lt;there&gt;",
            "&lt;test &amp; co&gt;", "fingerprint",
        ] {
            #expect(page.contains(text), "\(text)")
        }
        #expect(try maps(page).count == 11)
        // Nothing is fetched: images are data URLs, links stay in the page.
        #expect(page.matches(of: #/(src|href)="(?!data:|#)/#).isEmpty)
        #expect(page.matches(of: #/url\((?!#)/#).isEmpty && !page.contains("<script") && !page.contains("@import"))
    }

    @Test func mapsAreFilesWithTheirColourBars() throws {
        let small = try SmallRun()
        let names = try small.report().writeMaps(to: small.folder.file("maps"))
        #expect(names.contains("mu.png") && names.contains("misfit_u.png") && names.count == 11)
        for name in names {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: small.folder.file("maps/\(name)"))))
            let picture = try #require(PictureFile(bytes), "\(name)")
            // The colour bar: a row with all colours.
            let bar = (0..<picture.height).contains { row in
                Set(picture.pixels[row * picture.width..<(row + 1) * picture.width]).isSuperset(of: 0..<250)
            }
            #expect(bar && picture.width >= 600, "\(name)")
        }
        // On a second run our own files are replaced, others are not.
        _ = try small.report().writeMaps(to: small.folder.file("maps"))
        try Data("mine".utf8).write(to: URL(fileURLWithPath: small.folder.file("maps/mu.png")))
        #expect(throws: PlainFailure.self) { _ = try small.report().writeMaps(to: small.folder.file("maps")) }
    }
}
