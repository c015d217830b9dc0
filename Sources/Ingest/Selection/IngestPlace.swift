import Fields

/// The part of the products to ingest: the intersection of `--region`, `--polygon` and `--shelf`.
extension IngestRun {
    /// The selected area, and the parts of the products' grids in it.
    struct Place {
        let region: Region
        let shelves: (map: ShelfMap, wanted: [Int])?
        let velocityGrid: GridWindow
        let thicknessGrid: GridWindow
    }

    /// For a shelf, reads the whole mask to find it.
    func place(in files: Inputs, _ report: inout IngestReport) throws -> Place {
        var region = files.region
        let shelves = try shelves(files.thickness, files.velocity, &region, &report)
        return Place(
            region: region, shelves: shelves,
            velocityGrid: try GridWindow(of: files.components.x, in: files.velocity, region: region),
            thicknessGrid: try GridWindow(
                of: try files.thickness.requireThickness(), in: files.thickness, region: region))
    }

    /// Margin around a shelf or a polygon [m], for the ocean at its front.
    private static let margin = 5000.0

    /// The polygon in the projection of the velocity; narrows the region to it.
    func polygon(_ product: ProductFile, _ variable: any ProductArray, _ region: inout Region) throws
        -> Polygon?
    {
        guard let path = request.polygon else { return nil }
        let extent = try GridWindow(of: variable, in: product, region: region).extent
        let polygon = try PolygonFile(path: path).polygon(
            in: product.projection(of: variable), of: product.path, extent: extent)
        guard polygon.bounds.intersection(extent) != nil,
            let both = polygon.bounds.widened(by: IngestRun.margin).intersection(region)
        else {
            throw PlainFailure(
                "\(path): the polygon covers \(polygon.bounds.rounded.text) and does not overlap \(product.path), which covers \(extent.rounded.text) (xmin,xmax,ymin,ymax)"
            )
        }
        region = both
        return polygon
    }

    /// The shelves of the whole mask and the indices of the wanted ones; narrows the region to them.
    private func shelves(
        _ thickness: ProductFile, _ velocity: ProductFile, _ region: inout Region, _ report: inout IngestReport
    ) throws -> (map: ShelfMap, wanted: [Int])? {
        guard let name = request.shelf else { return nil }
        let (owner, variable) = try maskOwner(thickness, velocity)
        let map = try shelfMap(owner, variable)
        let wanted = try map.matches(name)
        var box = Region.nothing
        for number in wanted {
            let shelf = map.shelves[number]
            box = box.union(shelf.box)
            let others = shelf.neighbours.filter { other in !wanted.contains { map.shelves[$0].name == other } }
            if !others.isEmpty {
                report.warnings.append(
                    "\(shelf.name) is connected with \(others.joined(separator: ", ")): each cell belongs to the shelf with the nearest point; for another border give --polygon"
                )
            }
        }
        guard let both = box.widened(by: IngestRun.margin).intersection(region) else {
            throw PlainFailure("--shelf: no cell of \(quoted(name)) is in the region; choose another --region")
        }
        region = both
        return (map, wanted)
    }

    private func shelfMap(_ owner: ProductFile, _ variable: any ProductArray) throws -> ShelfMap {
        let window = try GridWindow(of: variable, in: owner, region: .everywhere)
        _ = try admit([("bands of the mask", IngestMemory.bytes(ofMask: variable, on: window), nil)])
        var bodies = IceBodies(width: window.columns)
        _ = try MaskField.read(variable, of: owner, on: window, progress: { try progress(.shelves, $0, $1) }) { codes in
            for start in stride(from: 0, to: codes.count, by: window.columns) {
                guard bodies.append(row: codes[start..<start + window.columns], ice: .floatingIce) else {
                    throw PlainFailure(
                        "\(owner.path): the mask has too many separate pieces for ice shelves; download the file again")
                }
            }
        }
        bodies.finish()
        return ShelfMap(bodies, on: window.grid, names: try ShelfNames.bundled())
    }

    /// The shelves in the mask as lines of text: name, area, cells, bounding box.
    public func listShelves() throws -> [String] {
        let catalog = try ProductCatalog(withSchemaAt: request.schema)
        let file = try ProductFile(path: request.thickness ?? request.velocity, catalog: catalog)
        let owner =
            file.mask != nil
            ? file
            : try thicknessFile(
                for: file, on: GridWindow(of: try file.velocityComponents().x, in: file, region: .everywhere), catalog)
        let (named, variable) = try maskOwner(owner, file)
        return try shelfMap(named, variable).lines
    }
}
