import Fields
import Foundation
import Logging
import NetCDFFiles
import PointStore
import Threads

/// Turns products into a store: all of pinn-ingest but its options.
public struct IngestRun {
    public typealias ProgressReport = (_ stage: IngestStage, _ done: Int, _ total: Int) throws -> Void

    let request: IngestRequest
    let progress: ProgressReport
    let admit: Admission
    private let log: Logger

    /// Throws where there is no room for what will be held at once; returns all that is needed [bytes].
    public typealias Admission = (_ parts: [(name: String, bytes: Int, remedy: String?)]) throws -> Int

    /// `progress` is called repeatedly during long work; by throwing, it stops the run. So does `admit`, before fields are read.
    public init(
        _ request: IngestRequest, log: Logger = Logger(label: "pinn-ingest"),
        progress: @escaping ProgressReport = { _, _, _ in }, admit: @escaping Admission = { _ in 0 }
    ) {
        self.request = request
        self.progress = progress
        self.admit = admit
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
        // An unwritable store is reported before reading, which takes minutes for a whole continent.
        try AtomicFile(replacing: request.store).discard()
        if let points = request.points { try StoreWriter.requireRoom(forCollocation: points, at: request.store) }

        report.warnings += try warnings(ofRegion: files)
        let place = try place(in: files, &report)
        let (velocityGrid, thicknessGrid) = (place.velocityGrid, place.thicknessGrid)
        let (mask, velocityMask, thicknessMask) = try admittedMask(files, place, &report).masks
        let reader = { (stage: IngestStage, window: GridWindow, mask: [UInt8]) in
            ObservationReader(window: window, mask: mask, ice: request.ice) { try progress(stage, $0, $1) }
        }
        let velocity = try reader(.velocity, velocityGrid, velocityMask).velocity(of: files.velocity)
        let thickness = try reader(.thickness, thicknessGrid, thicknessMask).thickness(of: files.thickness)
        let surface =
            request.ice == .floatingIce
            ? nil : try reader(.surface, thicknessGrid, thicknessMask).surface(of: files.thickness)
        try Plausibility.requireIce(velocity: velocity, files.components, path: files.velocity.path)
        try Plausibility.requireIce(thickness: thickness, try files.thickness.requireThickness())

        let shelf = ShelfCells(
            of: request.ice, mask: mask, velocity: velocity, on: velocityGrid, thickness: thickness, on: thicknessGrid)
        guard !shelf.cells.isEmpty else {
            throw PlainFailure(
                "\(files.velocity.path) and \(files.thickness.path): no \(request.ice.adjective) cell has both velocity and thickness; give files of the same \(request.ice.body)"
            )
        }
        let front = try front(files, in: place.region, shelf, mask)
        report.sources = sources(files, place)
        report.tallies = tallies(velocity, thickness, surface, shelf) + [front?.tally].compactMap { $0 }
        let schema = files.thickness.schema.thickness
        if let note = schema?.note { report.warnings.append("\(files.thickness.name): \(note)") }
        if let front, front.points.isEmpty {
            report.warnings.append(
                "no calving front: \(front.absence); the store has no front points, so training lacks the condition that determines the magnitude of the viscosity"
            )
        }
        if velocityGrid.grid.projection == nil, thicknessGrid.grid.projection == nil {
            report.warnings.append("the files state no projection, so predictions will have none either")
        }
        report.warnings += Plausibility.warnings(
            velocity, in: files.velocity.name, thickness, in: files.thickness.name, cells: shelf.cells.count)

        let content = StoreContent(
            velocity: velocity, velocityGrid: velocityGrid, velocityMask: velocityMask, thickness: thickness,
            thicknessGrid: thicknessGrid, thicknessMask: thicknessMask, surface: surface, ice: request.ice,
            shelf: shelf.cells, shelfGrid: mask.window.grid, front: front?.points ?? [],
            points: request.points ?? IngestRequest.defaultPoints(cells: shelf.cells.count), seed: request.seed)
        var description = content.description
        description.productIceDensity = files.thickness.density(schema?.iceDensityAttribute)
        description.productSeaWaterDensity = files.thickness.density(schema?.seaWaterDensityAttribute)
        description.provenance = [
            (name: "velocity", text: "\(files.velocity.name): \(files.velocity.schema.citation)"),
            (name: "thickness", text: "\(files.thickness.name): \(files.thickness.schema.citation)"),
            (name: "cells", text: report.tallies.map { "\($0.what): \($0.text)" }.joined(separator: ". ")),
            (name: "history", text: "\(Date.now.formatted(.iso8601)): \(request.command)"),
            (name: "ingested_by", text: Version.text),
        ]
        try content.write(to: request.store, description) { try progress(.writing, $0, $1) }

        report.counts = description.counts
        report.scales = description.scales
        report.normalizations = description.normalizations
        report.store = request.store
        report.storeBytes = try regularFileBytes(request.store)
        return report
    }

    /// The points that a file supplies, or else the front of the mask. None for grounded ice: the stress at the end of a grounded
    /// stream depends on the depth of its bed below sea level.
    private func front(_ files: Inputs, in region: Region, _ shelf: ShelfCells, _ mask: MaskField) throws
        -> (points: [FrontPoint], tally: IngestReport.Tally, absence: String)?
    {
        guard request.ice == .floatingIce else { return nil }
        let grid = mask.window.grid
        for product in [files.thickness, files.velocity] {
            guard let front = try SuppliedFront(of: product, in: region, at: shelf.known, of: grid) else { continue }
            let tally = IngestReport.Tally(
                what: "front points in the file", kept: front.points.count,
                dropped: [
                    (front.withoutDirection, "without a direction"), (front.beyondData, "away from ice with data"),
                ])
            return (
                front.points, tally, "none of the file's front points has a direction and lies next to ice with data"
            )
        }
        let front = FrontExtraction(codes: mask.codes, grid: grid, known: shelf.known)
        let tally = IngestReport.Tally(
            what: "front faces", kept: front.points.count,
            dropped: [(front.beyondData, "beyond the data"), (front.withoutDirection, "without a clear direction")])
        return (front.points, tally, "floating ice with data borders on ocean nowhere in the mask")
    }

    // MARK: products

    /// The two products, which may be one file.
    struct Inputs {
        let velocity: ProductFile
        let components: ProductFile.Components
        let thickness: ProductFile
        /// Of the options, and of the polygon.
        let region: Region
        let polygon: Polygon?
    }

    /// Opens the products and rejects what their headers show to be wrong.
    func inputs() throws -> Inputs {
        try requireOtherFiles([request.velocity, request.thickness ?? request.velocity])
        try StoreWriter.requireReplaceable(request.store)
        let catalog = try ProductCatalog(withSchemaAt: request.schema)
        let velocity = try ProductFile(path: request.velocity, catalog: catalog)
        let components: ProductFile.Components
        do {
            components = try velocity.velocityComponents()
        } catch {
            // Because the user's own schema does not fit.
            try requireFit(of: catalog, [velocity])
            throw error
        }
        var region = request.region
        let polygon = try polygon(velocity, components.x, &region)
        let window = try GridWindow(of: components.x, in: velocity, region: region)
        let thickness = try thicknessFile(for: velocity, on: window, catalog)
        // The thickness may have been found in the velocity's folder.
        try requireOtherFiles([thickness.path])
        try requireFit(of: catalog, velocity.path == thickness.path ? [velocity] : [velocity, thickness])
        let other = try GridWindow(of: try thickness.requireThickness(), in: thickness, region: region)
        try window.requireProjection(of: other.grid.projection, at: other.path)
        // The mask is in one of the two files.
        guard !NearestCells(from: window.grid, to: other.grid).isEmpty else {
            throw PlainFailure.gridsDoNotOverlap(window, other)
        }
        return Inputs(
            velocity: velocity, components: components, thickness: thickness, region: region, polygon: polygon)
    }

    /// Throws where the user's own schema fits none of the products.
    private func requireFit(of catalog: ProductCatalog, _ products: [ProductFile]) throws {
        guard let own = catalog.own, let schema = request.schema else { return }
        let reasons = products.compactMap { product in
            own.obstacle(in: product.file).map { "of \(product.name), \($0)" }
        }
        guard reasons.count == products.count else { return }
        throw PlainFailure(
            .usage,
            "--schema \(lastComponent(of: schema)) fits none of the files: \(reasons.joined(separator: "; ")); correct its section [recognize]"
        )
    }

    /// GDAL has another order of corners (xmin, ymin, xmax, ymax): a rectangle that extends beyond the data by more than their own
    /// width or height is probably a mistake.
    private func warnings(ofRegion files: Inputs) throws -> [String] {
        let region = request.region
        guard region != .everywhere else { return [] }
        let extent = try GridWindow(of: files.components.x, in: files.velocity, region: .everywhere).extent
        let (width, height) = (extent.xMax - extent.xMin, extent.yMax - extent.yMin)
        let near = Region(
            xMin: extent.xMin - width, xMax: extent.xMax + width, yMin: extent.yMin - height,
            yMax: extent.yMax + height)
        guard near.union(region) != near else { return [] }
        return [
            "--region extends far beyond the data, which cover \(extent.text); the order is xmin,xmax,ymin,ymax, not GDAL's"
        ]
    }

    func thicknessFile(
        for velocity: ProductFile, on window: GridWindow, _ catalog: ProductCatalog
    ) throws -> ProductFile {
        if let path = request.thickness {
            let file = try ProductFile(path: path, catalog: catalog)
            _ = try file.requireThickness()
            return file
        }
        if velocity.thickness != nil { return velocity }
        let file = try ThicknessSearch.product(matching: velocity, on: window, except: request.store, catalog: catalog)
        log.notice("thickness and mask are taken from \(file.name) in the same folder (\(file.schema.citation))")
        return file
    }

    /// The file of the mask, which comes with the thickness or else with the velocity, and its variable.
    func maskOwner(_ thickness: ProductFile, _ velocity: ProductFile) throws
        -> (ProductFile, any ProductArray)
    {
        for owner in [thickness, velocity] {
            if let variable = owner.mask { return (owner, variable) }
        }
        throw PlainFailure(
            "\(thickness.path): no ice mask found: none of \(list(thickness.schema.mask?.variable ?? ["mask"])) among its variables \(list(thickness.variableNames)); the mask tells floating from grounded ice, so give a thickness product that has one, such as BedMachine Antarctica"
        )
    }

    /// The mask, once there is known to be room for it, and for what an ingest with this mask takes [bytes].
    func admittedMask(_ files: Inputs, _ place: Place, _ report: inout IngestReport) throws
        -> (masks: (mask: MaskField, velocity: [UInt8], thickness: [UInt8]), memory: Int)
    {
        let (owner, variable) = try maskOwner(files.thickness, files.velocity)
        var memory = try IngestMemory(
            files, place, mask: variable, on: try GridWindow(of: variable, in: owner, region: place.region))
        _ = try admit(memory.parts)
        let masks = try readMask(files, place, &report)
        memory.add(masks, ice: request.ice)
        return (masks, try admit(memory.parts))
    }

    /// The mask, and its values on the grids of velocity and thickness, with only the selected ice left as ice. A polygon
    /// contains the cells of each grid whose centres are inside.
    private func readMask(_ files: Inputs, _ place: Place, _ report: inout IngestReport) throws
        -> (mask: MaskField, velocity: [UInt8], thickness: [UInt8])
    {
        let (owner, variable) = try maskOwner(files.thickness, files.velocity)
        var mask = try MaskField(reading: variable, of: owner, region: place.region) { try progress(.mask, $0, $1) }
        if request.choice == .all { mask.joinFloatingToGrounded() }
        guard mask.codes.contains(request.ice.rawValue) else {
            throw PlainFailure(
                "\(owner.path): variable \(quoted(variable.name)) has no \(request.ice.adjective) ice\(place.region != .everywhere ? " in the region; choose another --region" : "; give a file that covers an \(request.ice.body)")"
            )
        }
        let grid = mask.window.grid
        if let shelves = place.shelves {
            shelves.map.cells(of: shelves.wanted, in: grid)
                .restrict(&mask.codes, width: grid.columns, ice: request.ice)
        }
        let covers = try [place.velocityGrid, place.thicknessGrid].map { window in
            var codes = try mask.sampled(on: window)
            files.polygon?.cells(of: window.grid).restrict(&codes, width: window.columns, ice: request.ice)
            return codes
        }
        files.polygon?.cells(of: grid).restrict(&mask.codes, width: grid.columns, ice: request.ice)
        guard mask.codes.contains(request.ice.rawValue) else {
            let places = [
                request.polygon.map { "inside the polygon of \($0)" },
                request.shelf.map { "on the shelf \(quoted($0)) in the region" },
            ]
            throw PlainFailure(
                "\(owner.path): no \(request.ice.adjective) ice \(places.compactMap { $0 }.joined(separator: " ")); check that the polygon is where the ice is, and --mask"
            )
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

    // MARK: report

    func sources(_ files: Inputs, _ place: Place) -> [IngestReport.Source] {
        [("velocity", files.velocity, place.velocityGrid), ("thickness", files.thickness, place.thicknessGrid)].map {
            role, product, window in
            IngestReport.Source(
                role: role, file: product.name, product: product.schema.citation, rows: window.rows,
                columns: window.columns, spacing: window.x.spacing)
        }
    }

    private func tallies(
        _ velocity: Observations, _ thickness: Observations, _ surface: Observations?, _ shelf: ShelfCells
    ) -> [IngestReport.Tally] {
        let ice = request.ice.adjective
        func tally(
            _ what: String, _ kept: Int, _ dropped: [(Int, String)], _ found: Observations? = nil, unit: String = "m"
        ) -> IngestReport.Tally {
            .init(what: what, kept: kept, dropped: dropped, weights: found?.weighing(unit: unit))
        }
        let missing = { (found: Observations) in (found.missing, "\(ice) without data") }
        let tallies = [
            tally(
                "velocity cells", velocity.count,
                [missing(velocity), (velocity.marked, "with an undeclared no-data value")], velocity, unit: "m yr-1"),
            tally(
                "thickness cells", thickness.count,
                [missing(thickness), (thickness.notPositive, "\(ice) with zero or negative thickness")], thickness),
            tally(
                "cells with both", shelf.cells.count,
                [
                    (shelf.withoutVelocity, "\(ice) without velocity"),
                    (shelf.withoutThickness, "\(ice) without thickness"),
                ]),
            surface.map { tally("surface cells", $0.count, [missing($0)], $0) },
        ]
        return tallies.compactMap { $0 }
    }

    private func requireOtherFiles(_ inputs: [String]) throws {
        func identity(_ path: String) -> [UInt]? {
            var info = stat()
            return stat(path, &info) == 0 ? [info.st_dev, info.st_ino] : nil
        }
        guard let store = identity(request.store), inputs.contains(where: { identity($0) == store }) else { return }
        throw PlainFailure(
            .usage, "\(request.store): the store would replace its own input; choose another name with -o")
    }
}
