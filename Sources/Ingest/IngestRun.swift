import Fields
@preconcurrency import Glibc
import Logging
import NetCDFFiles
import PointStore
import Threads

/// Turns products into a store: all of pinn-ingest but its options.
public struct IngestRun {
    public typealias ProgressReport = (_ stage: IngestStage, _ done: Int, _ total: Int) throws -> Void

    let request: IngestRequest
    let progress: ProgressReport
    private let log: Logger

    /// `progress` is called repeatedly during long work; by throwing, it stops the run.
    public init(
        _ request: IngestRequest, log: Logger = Logger(label: "pinn-ingest"),
        progress: @escaping ProgressReport = { _, _, _ in }
    ) {
        self.request = request
        self.progress = progress
        self.log = log
    }

    /// Reads the products, writes the store, and reports what was done. The store appears under its name only once it is
    /// complete, and a failure leaves no partial file.
    public func run() throws -> IngestReport {
        var report = IngestReport()
        try ThreadTeam.computing.require(StoreContent.portionsAhead)
        // An unknown name is reported before a mask of 178 million cells is read.
        if let shelf = request.shelf { try ShelfMap.check(shelf) }
        let files = try inputs()
        let (velocityFile, components, thicknessFile) = (files.velocity, files.components, files.thickness)
        if AtomicFile.removeLeftover(of: request.store) {
            log.notice("removed the unfinished store that an interrupted run left at \(request.store).partial")
        }
        // An unwritable store is reported before reading, which takes minutes for a whole continent.
        try AtomicFile(replacing: request.store).discard()
        if let points = request.points { try StoreWriter.requireRoom(forCollocation: points, at: request.store) }

        report.warnings += try warnings(ofRegion: files)
        let place = try place(in: files, &report)
        let (velocityGrid, thicknessGrid) = (place.velocityGrid, place.thicknessGrid)
        let (mask, velocityMask, thicknessMask) = try readMask(files, place, &report)
        let velocity = try ObservationReader(window: velocityGrid, mask: velocityMask, ice: request.ice) {
            try progress(.velocity, $0, $1)
        }
        .velocity(of: velocityFile)
        let thickness = try ObservationReader(window: thicknessGrid, mask: thicknessMask, ice: request.ice) {
            try progress(.thickness, $0, $1)
        }
        .thickness(of: thicknessFile)

        let surface =
            request.ice == .floatingIce
            ? nil
            : try ObservationReader(window: thicknessGrid, mask: thicknessMask, ice: request.ice) {
                try progress(.surface, $0, $1)
            }
            .surface(of: thicknessFile)

        try Plausibility.requireVariety(
            of: velocity, components.x.name, components.y.name, path: velocityFile.path)
        try Plausibility.requireOneUnit(
            of: velocity, components.x.name, components.y.name, path: velocityFile.path)
        try Plausibility.requireIce(velocity: velocity, components.x.name, path: velocityFile.path)
        try Plausibility.requireIce(
            thickness: thickness, thicknessFile.thickness?.name ?? "thickness", path: thicknessFile.path)

        let shelf = ShelfCells(
            of: request.ice, mask: mask, velocity: velocity, on: velocityGrid, thickness: thickness, on: thicknessGrid)
        guard !shelf.cells.isEmpty else {
            throw IngestError.nothingInCommon(
                velocity: velocityFile.path, thickness: thicknessFile.path, ice: request.ice)
        }
        // The stress at the end of a grounded stream depends on the depth of its bed below sea level: no front is used.
        let suppliedFront =
            request.ice == .floatingIce
            ? try SuppliedFront(of: thicknessFile, in: place.region, at: shelf.known, of: mask.window.grid)
                ?? SuppliedFront(of: velocityFile, in: place.region, at: shelf.known, of: mask.window.grid)
            : nil
        let front =
            request.ice == .floatingIce && suppliedFront == nil
            ? FrontExtraction(codes: mask.codes, grid: mask.window.grid, known: shelf.known) : nil
        let points = request.points ?? IngestRequest.defaultPoints(cells: shelf.cells.count)

        report.sources = sources(velocityFile, velocityGrid, thicknessFile, thicknessGrid)
        report.tallies = tallies(velocity, thickness, surface, shelf, front)
        if let suppliedFront {
            report.tallies.append(
                .init(
                    what: "front points in the file", kept: suppliedFront.points.count,
                    dropped: [
                        (suppliedFront.withoutDirection, "without a direction"),
                        (suppliedFront.beyondData, "away from ice with data"),
                    ]))
        }
        if let note = thicknessFile.schema.thickness?.note {
            report.warnings.append("\(thicknessFile.name): \(note)")
        }
        report.warnings += warnings(front, suppliedFront, velocityGrid, thicknessGrid)
        if let few = Plausibility.warning(cells: shelf.cells.count) { report.warnings.append(few) }
        let content = StoreContent(
            velocity: velocity, velocityGrid: velocityGrid, velocityMask: velocityMask, thickness: thickness,
            thicknessGrid: thicknessGrid, thicknessMask: thicknessMask, surface: surface, ice: request.ice,
            shelf: shelf.cells, shelfGrid: mask.window.grid,
            front: suppliedFront?.points ?? front?.points ?? [], points: points, seed: request.seed)
        var description = content.description
        let schema = thicknessFile.schema.thickness
        description.productIceDensity = thicknessFile.density(schema?.iceDensityAttribute)
        description.productSeaWaterDensity = thicknessFile.density(schema?.seaWaterDensityAttribute)
        description.provenance = provenance(velocityFile, thicknessFile, report)
        report.warnings += Plausibility.warnings(
            velocity, in: velocityFile.name, thickness, in: thicknessFile.name)
        report.warnings +=
            Plausibility.warnings(errorsOf: velocity, unit: "m yr-1", in: velocityFile.name)
            + Plausibility.warnings(errorsOf: thickness, unit: "m", in: thicknessFile.name)
        try content.write(to: request.store, description) { try progress(.writing, $0, $1) }

        report.counts = description.counts
        report.scales = description.scales
        report.normalizations = description.normalizations
        report.store = request.store
        report.storeBytes = byteCount(of: request.store)
        return report
    }

    // MARK: products

    /// The two products, which may be one file.
    struct Inputs {
        let velocity: ProductFile
        let components: (x: any ProductArray, y: any ProductArray)
        let thickness: ProductFile
        /// Of the options, and of the polygon.
        let region: Region
        let polygon: Polygon?
    }

    /// Opens the products and rejects what their headers show to be wrong.
    func inputs() throws -> Inputs {
        try requireOtherFiles([request.velocity, request.thickness ?? request.velocity])
        try StoreWriter.requireReplaceable(request.store)
        let catalog = try request.schema.map { try ProductCatalog(withSchemaAt: $0) } ?? ProductCatalog()
        let velocity = try ProductFile(path: request.velocity, catalog: catalog)
        let components: (x: any ProductArray, y: any ProductArray)
        do {
            components = try velocity.velocityComponents()
        } catch {
            // Because the user's own schema does not fit.
            guard let reason = catalog.own?.obstacle(in: velocity.file), let schema = request.schema else {
                throw error
            }
            throw IngestError.schemaFitsNothing(
                name: lastComponent(of: schema), reasons: [(file: velocity.name, reason: reason)])
        }
        var region = request.region
        let polygon = try polygon(velocity, components.x, &region)
        let window = try GridWindow(of: components.x, in: velocity, region: region)
        let thickness = try thicknessFile(for: velocity, on: window, catalog)
        // The thickness may have been found in the velocity's folder.
        try requireOtherFiles([thickness.path])
        if let own = catalog.own, let path = request.schema {
            let reasons = [velocity, thickness].compactMap { product in
                own.obstacle(in: product.file).map { (file: product.name, reason: $0) }
            }
            guard reasons.count < 2 else {
                throw IngestError.schemaFitsNothing(
                    name: lastComponent(of: path),
                    reasons: velocity.path == thickness.path ? [reasons[0]] : reasons)
            }
        }
        try checkSamePlace(window, try thicknessWindow(thickness, region))
        return Inputs(
            velocity: velocity, components: components, thickness: thickness, region: region, polygon: polygon)
    }

    /// GDAL has another order of corners (xmin, ymin, xmax, ymax): a rectangle that extends beyond the data by more than their own
    /// width or height is probably a mistake.
    private func warnings(ofRegion files: Inputs) throws -> [String] {
        let region = request.region
        guard region != .everywhere else { return [] }
        let extent = try GridWindow(of: files.components.x, in: files.velocity, region: .everywhere).extent
        let (width, height) = (extent.xMax - extent.xMin, extent.yMax - extent.yMin)
        let beyond = [
            extent.xMin - region.xMin > width, region.xMax - extent.xMax > width, extent.yMin - region.yMin > height,
            region.yMax - extent.yMax > height,
        ]
        guard beyond.contains(true) else { return [] }
        let text = [extent.xMin, extent.xMax, extent.yMin, extent.yMax].map { plain($0) }.joined(separator: ",")
        return [
            "--region extends far beyond the data, which cover \(text); the order is xmin,xmax,ymin,ymax, not GDAL's"
        ]
    }

    func thicknessFile(
        for velocity: ProductFile, on window: GridWindow, _ catalog: ProductCatalog
    ) throws -> ProductFile {
        if let path = request.thickness {
            let file = try ProductFile(path: path, catalog: catalog)
            guard file.hasThickness else {
                throw IngestError.noThicknessIn(
                    path: path, sought: file.schema.thickness?.variable ?? ["thickness"], present: file.variableNames)
            }
            return file
        }
        if velocity.hasThickness { return velocity }
        let file = try ThicknessSearch.product(matching: velocity, on: window, except: request.store, catalog: catalog)
        log.notice(
            "thickness and mask are taken from \(file.name) in the same folder (\(file.schema.citation))")
        return file
    }

    /// The file of the mask, which comes with the thickness or else with the velocity, and its variable.
    func maskOwner(_ thickness: ProductFile, _ velocity: ProductFile) throws
        -> (ProductFile, any ProductArray)
    {
        guard let owner = [thickness, velocity].first(where: \.hasMask), let variable = owner.mask else {
            throw IngestError.noMask(
                path: thickness.path, sought: thickness.schema.mask?.variable ?? ["mask"],
                present: thickness.variableNames)
        }
        return (owner, variable)
    }

    /// The mask, and its values on the grids of velocity and thickness, with only the selected ice left as ice. A polygon
    /// contains the cells of each grid whose centres are inside.
    func readMask(_ files: Inputs, _ place: Place, _ report: inout IngestReport) throws
        -> (mask: MaskField, velocity: [UInt8], thickness: [UInt8])
    {
        let (owner, variable) = try maskOwner(files.thickness, files.velocity)
        var mask = try MaskField(reading: variable, of: owner, region: place.region) { try progress(.mask, $0, $1) }
        if request.choice == .all { mask.joinFloatingToGrounded() }
        guard mask.codes.contains(request.ice.rawValue) else {
            throw IngestError.noIce(
                request.ice, path: owner.path, variable: variable.name, inRegion: place.region != .everywhere)
        }
        let grid = mask.window.grid
        if let shelves = place.shelves {
            mask.restrict(request.ice, to: shelves.map.cells(of: shelves.wanted, in: grid))
        }
        let covers = try [place.velocityGrid, place.thicknessGrid].map { window in
            var codes = try mask.sampled(on: window)
            place.polygon?.cells(of: window.grid).restrict(&codes, width: window.columns, ice: request.ice)
            return codes
        }
        if let polygon = place.polygon { mask.restrict(request.ice, to: polygon.cells(of: grid)) }
        guard mask.codes.contains(request.ice.rawValue) else {
            throw IngestError.noIceInside(
                request.ice, path: owner.path, polygon: request.polygon, shelf: request.shelf)
        }
        if mask.unknownCount > 0 {
            report.warnings.append(
                "\(owner.name): \(mask.unknownCount) mask cells have no value; they count as neither ice shelf nor ocean"
            )
        }
        if mask.usesSchemaCodes, owner.schema.isGeneral {
            report.warnings.append(
                "\(owner.name): the mask has no flag_meanings; its numbers are read as BedMachine's (0 ocean, 1 land, 2 grounded, 3 floating)"
            )
        }
        return (mask, covers[0], covers[1])
    }

    func thicknessWindow(_ product: ProductFile, _ region: Region) throws -> GridWindow {
        guard let variable = product.thickness else {
            throw IngestError.noThicknessIn(path: product.path, sought: [], present: product.variableNames)
        }
        return try GridWindow(of: variable, in: product, region: region)
    }

    /// Requires the same projection and overlapping grids. (The mask is in one of the two files.)
    private func checkSamePlace(_ velocity: GridWindow, _ thickness: GridWindow) throws {
        if let a = velocity.grid.projection, let b = thickness.grid.projection,
            let difference = a.firstDifference(from: b)
        {
            throw IngestError.projectionsDiffer(
                attribute: difference.attribute, difference.mine, path: velocity.path, difference.other,
                otherPath: thickness.path)
        }
        guard !NearestCells(from: velocity.grid, to: thickness.grid).isEmpty else {
            throw IngestError.gridsDoNotOverlap(velocity.path, velocity.extent, thickness.path, thickness.extent)
        }
    }

    // MARK: report

    func sources(
        _ velocity: ProductFile, _ velocityGrid: GridWindow, _ thickness: ProductFile, _ thicknessGrid: GridWindow
    ) -> [IngestReport.Source] {
        [("velocity", velocity, velocityGrid), ("thickness", thickness, thicknessGrid)].map { role, product, window in
            IngestReport.Source(
                role: role, file: product.name, product: product.schema.citation, rows: window.rows,
                columns: window.columns,
                spacing: window.x.spacing)
        }
    }

    private func tallies(
        _ velocity: Observations, _ thickness: Observations, _ surface: Observations?, _ shelf: ShelfCells,
        _ front: FrontExtraction?
    ) -> [IngestReport.Tally] {
        let ice = request.ice.adjective
        var tallies: [IngestReport.Tally] = [
            .init(
                what: "velocity cells", kept: velocity.count,
                dropped: [
                    (velocity.missing, "\(ice) without data"), (velocity.marked, "with an undeclared no-data value"),
                ],
                weights: velocity.weighing(unit: "m yr-1")),
            .init(
                what: "thickness cells", kept: thickness.count,
                dropped: [
                    (thickness.missing, "\(ice) without data"),
                    (thickness.notPositive, "\(ice) with zero or negative thickness"),
                ], weights: thickness.weighing(unit: "m")),
            .init(
                what: "cells with both", kept: shelf.cells.count,
                dropped: [
                    (shelf.withoutVelocity, "\(ice) without velocity"),
                    (shelf.withoutThickness, "\(ice) without thickness"),
                ]),
        ]
        if let surface {
            tallies.append(
                .init(
                    what: "surface cells", kept: surface.count, dropped: [(surface.missing, "\(ice) without data")],
                    weights: surface.weighing(unit: "m")))
        }
        if let front {
            tallies.append(
                .init(
                    what: "front faces", kept: front.points.count,
                    dropped: [
                        (front.beyondData, "beyond the data"), (front.withoutDirection, "without a clear direction"),
                    ]))
        }
        return tallies
    }

    private func warnings(
        _ front: FrontExtraction?, _ supplied: SuppliedFront?, _ velocity: GridWindow, _ thickness: GridWindow
    ) -> [String] {
        var warnings: [String] = []
        let reason =
            supplied.map { _ in "none of the file's front points has a direction and lies next to ice with data"
            }
            ?? "floating ice with data borders on ocean nowhere in the mask"
        if (supplied?.points ?? front?.points)?.isEmpty == true {
            warnings.append(
                "no calving front: \(reason); the store has no front points, so training lacks the condition that determines the magnitude of the viscosity"
            )
        }
        if velocity.grid.projection == nil, thickness.grid.projection == nil {
            warnings.append("the files state no projection, so predictions will have none either")
        }
        return warnings
    }

    private func provenance(
        _ velocity: ProductFile, _ thickness: ProductFile, _ report: IngestReport
    ) -> [(name: String, text: String)] {
        [
            (name: "velocity", text: "\(velocity.name): \(velocity.schema.citation)"),
            (name: "thickness", text: "\(thickness.name): \(thickness.schema.citation)"),
            (name: "cells", text: report.tallies.map { "\($0.what): \($0.text)" }.joined(separator: ". ")),
            (name: "history", text: "\(now()): \(request.command)"),
            (name: "ingested_by", text: Version.text),
        ]
    }

    private func now() -> String {
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func requireOtherFiles(_ inputs: [String]) throws {
        guard !inputs.contains(where: { isSameFile($0, request.store) }) else {
            throw IngestError.outputIsInput(path: request.store)
        }
    }

    private func isSameFile(_ a: String, _ b: String) -> Bool {
        var first = stat()
        var second = stat()
        return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev
            && first.st_ino == second.st_ino
    }

    private func byteCount(of path: String) -> Int {
        var info = stat()
        return stat(path, &info) == 0 ? Int(info.st_size) : 0
    }
}
