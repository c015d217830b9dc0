import CShapelib
import Fields
import Foundation
import MapProjections
import NetCDFFiles

/// Reads `--polygon FILE`: GeoJSON (RFC 7946), an ESRI shapefile, or an outline of ISSM (.exp).
package struct PolygonFile {
    package let path: String
    /// Rings of each polygon, in the coordinates of the file.
    private var parts: [[Polygon.Ring]] = []
    private var system = System.unstated

    /// The coordinates of the file.
    private enum System {
        case degrees
        /// Map coordinates; nil: in the product's projection.
        case map(Projection?)
        case unstated
    }

    /// The finest outlines of all Antarctica have tens of megabytes.
    private static let maxBytes = 1 << 28

    package init(path: String) throws {
        self.path = path
        switch path.split(separator: "/").last?.split(separator: ".").last.map({ $0.lowercased() }) {
        case "geojson", "json": try readGeoJSON()
        case "shp", "shx", "dbf", "prj": try readShapefile()
        case "exp": try readExp()
        default:
            throw PlainFailure(
                .usage,
                "--polygon: \(quoted(path)) is neither GeoJSON (.geojson, .json), a shapefile (.shp) nor an outline of ISSM (.exp); name it by its format"
            )
        }
        parts = parts.map { $0.filter { $0.count >= 3 } }.filter { !$0.isEmpty }
        guard !parts.isEmpty else { throw noPolygon("only rings of fewer than three corners") }
        for corner in corners where !(abs(corner.x) < 1e9 && abs(corner.y) < 1e9) {
            throw damaged("a corner at \(corner.x), \(corner.y)")
        }
    }

    private var corners: FlattenSequence<FlattenSequence<[[Polygon.Ring]]>> { parts.joined().joined() }

    private func noPolygon(_ found: String) -> PlainFailure {
        PlainFailure("\(path): no polygon found (but \(found)); --polygon needs one or several polygons")
    }

    private func damaged(_ reason: String) -> PlainFailure {
        PlainFailure("\(path): \(reason): not a usable polygon; create the file again")
    }

    /// The polygon in the projection of a product.
    package func polygon(in projection: Projection?, of product: String, extent: Region) throws -> Polygon {
        switch system {
        case .degrees: break
        // No outline on a map of an ice sheet fits into 360 m around the pole.
        case .unstated where corners.allSatisfy { abs($0.x) <= 360 && abs($0.y) <= 360 }: break
        case .unstated: return Polygon(parts: parts)
        case .map(let mine):
            if let mine, let projection { try requireSame(mine, as: projection, of: product) }
            return Polygon(parts: parts)
        }
        guard let polar = PolarProjection(projection) else {
            throw PlainFailure(
                "\(path): is in longitude and latitude, but \(product) states no polar stereographic projection; give the polygon in the coordinates of the product"
            )
        }
        func projected(_ parts: [[Polygon.Ring]]) -> Polygon {
            Polygon(parts: parts.map { $0.map { PolygonFile.projected($0, polar) } })
        }
        let offEarth = corners.first { abs($0.x) > 360 || abs($0.y) > 90 }
        if offEarth == nil {
            let polygon = projected(parts)
            if polygon.bounds.intersection(extent) != nil { return polygon }
        }
        // Many programs write the latitude first.
        if corners.allSatisfy({ abs($0.x) <= 90 && abs($0.y) <= 360 }),
            projected(parts.map { $0.map { $0.map { ($0.y, $0.x) } } }).bounds.intersection(extent) != nil
        {
            throw PlainFailure(
                "\(path): its corners are far from the product as longitude and latitude, but not as latitude and longitude; write the longitude first"
            )
        }
        if let corner = offEarth { throw damaged("longitude \(corner.x), latitude \(corner.y)") }
        return projected(parts)
    }

    private func requireSame(_ mine: Projection, as projection: Projection, of product: String) throws {
        var difference = mine.firstDifference(from: projection).map { ("\($0.attribute) \($0.mine)", $0.other) }
        if let code = mine.epsgCode, let other = projection.epsgCode {
            difference = code == other ? nil : ("EPSG:\(code)", "EPSG:\(other)")
        }
        let unit = mine.metersPerUnit
        if unit != 1 { difference = ("units of \(plain(unit)) m", "metres") }
        guard let difference else { return }
        throw PlainFailure(
            "\(path): is in \(difference.0), but \(product) is in \(difference.1); reproject it, for example with ogr2ogr -t_srs"
        )
    }

    /// A ring in map coordinates. Edges are straight in longitude and latitude (RFC 7946, 3.1.1), and parallels become circles: a
    /// corner is added every tenth of a degree (at most 35 m off the circle at 70°).
    private static func projected(_ ring: Polygon.Ring, _ polar: PolarProjection) -> Polygon.Ring {
        var corners: Polygon.Ring = []
        for (number, a) in ring.enumerated() {
            let b = ring[number + 1 == ring.count ? 0 : number + 1]
            let steps = max(1, Int((max(abs(b.x - a.x), abs(b.y - a.y)) / 0.1).rounded(.up)))
            for step in 0..<steps {
                let share = Double(step) / Double(steps)
                corners.append(
                    polar.position(longitude: a.x + share * (b.x - a.x), latitude: a.y + share * (b.y - a.y)))
            }
        }
        return corners
    }

    // MARK: formats

    private func contents() throws -> Data {
        let bytes = try requireFile(path)
        guard bytes > 0 else { throw noPolygon("an empty file") }
        guard bytes <= PolygonFile.maxBytes else { throw damaged("more than \(PolygonFile.maxBytes >> 20) MB") }
        guard let content = firstBytes(of: path, bytes) else {
            throw unreadable(path, String(cString: strerror(errno)))
        }
        return Data(content)
    }

    /// The length of a regular file: opening a pipe without a writer would block forever.
    @discardableResult
    private func requireFile(_ path: String) throws -> Int {
        var info = stat()
        guard stat(path, &info) == 0 else { throw unreadable(path, String(cString: strerror(errno))) }
        if let kind = kindOfSpecialFile(info) { throw unreadable(path, "it is \(kind), expected a regular file") }
        return Int(info.st_size)
    }

    private func unreadable(_ path: String, _ reason: String) -> PlainFailure {
        PlainFailure(
            errno == EIO ? .inputOutput : .missingInput, "\(path): cannot read the polygon: \(reason); check --polygon")
    }

    private mutating func readGeoJSON() throws {
        let shapes: GeoJSONShapes
        do {
            shapes = try JSONDecoder().decode(GeoJSONShapes.self, from: try contents())
        } catch let error as DecodingError {
            throw damaged(GeoJSONShapes.explanation(of: error))
        }
        guard !shapes.polygons.isEmpty else {
            throw noPolygon(shapes.others.isEmpty ? "none" : shapes.others.sorted().map(quoted).joined(separator: ", "))
        }
        guard shapes.polygons.joined().joined().allSatisfy({ $0.count >= 2 }) else {
            throw damaged("a corner without x and y")
        }
        parts = shapes.polygons.map { $0.map { $0.map { (x: $0[0], y: $0[1]) } } }
        // Degrees by the standard; QGIS and GDAL write "crs" for anything else, following the draft of 2008.
        if let name = shapes.systemName {
            let code = name.split(separator: ":").last.flatMap { Int($0) }
            let isGeographic = code == 4326 || code.flatMap(ReferenceSystem.init(epsg:))?.isGeographic == true
            system = isGeographic || name.contains("CRS84") ? .degrees : .map(nil)
            if case .map = system {
                guard let code, ReferenceSystem(epsg: code) != nil else { throw notUnderstood(path, name) }
                system = .map(Projection(attributes: [("spatial_epsg", .number(Double(code)))]))
            }
        }
    }

    private mutating func readShapefile() throws {
        let base = String(path.dropLast(4))
        try requireFile(path)
        for part in ["shp", "shx", "prj"].map({ "\(base).\($0)" })
        where FileManager.default.fileExists(atPath: part) { try requireFile(part) }
        LibraryCrash.concerns(reading: path)
        let opened = withNetCDFLock(UInt(bitPattern: shim_open_shapefile("\(base).shp")))
        guard let shapes = SHPHandle(bitPattern: opened) else {
            throw damaged(
                FileManager.default.fileExists(atPath: "\(base).shx")
                    ? "it cannot be opened as a shapefile" : "its index \(base).shx is missing")
        }
        defer { SHPClose(shapes) }
        var count: Int32 = 0
        var type: Int32 = 0
        SHPGetInfo(shapes, &count, &type, nil, nil)
        guard [SHPT_POLYGON, SHPT_POLYGONZ, SHPT_POLYGONM].contains(type) else {
            throw noPolygon("shapes of type \(type)")
        }
        for number in 0..<count {
            let read = withNetCDFLock(UInt(bitPattern: SHPReadObject(shapes, number)))
            guard let shape = UnsafeMutablePointer<SHPObject>(bitPattern: read) else {
                throw damaged("shape \(number) cannot be read")
            }
            defer { SHPDestroyObject(shape) }
            let corners = Int(shape.pointee.nVertices)
            guard corners > 0, let xs = shape.pointee.padfX, let ys = shape.pointee.padfY else { continue }
            var starts = (0..<Int(shape.pointee.nParts)).map { Int(shape.pointee.panPartStart[$0]) }
            if starts.isEmpty { starts = [0] }
            parts.append(
                try zip(starts, starts.dropFirst() + [corners]).map { start, end in
                    guard start >= 0, start <= end, end <= corners else {
                        throw damaged("shape \(number) has corners out of order")
                    }
                    return (start..<end).map { (x: xs[$0], y: ys[$0]) }
                })
        }
        if FileManager.default.fileExists(atPath: "\(base).prj") { system = try statedSystem("\(base).prj") }
    }

    /// What a .prj file says.
    private func statedSystem(_ path: String) throws -> System {
        guard let bytes = firstBytes(of: path, 1 << 16) else {
            throw unreadable(path, String(cString: strerror(errno)))
        }
        // Older programs wrote names in Latin-1.
        let text = String(validating: bytes, as: UTF8.self) ?? String(decoding: bytes, as: Unicode.ASCII.self)
        if ["GEOG", "GEOD"].contains(where: text.trimmingBlanks().uppercased().hasPrefix) { return .degrees }
        return try LibraryCrash.guarded(reading: path) {
            guard ReferenceSystem(wellKnownText: text) != nil else { throw notUnderstood(path, text) }
            return .map(Projection(attributes: [("crs_wkt", .text(text))]).completed)
        }
    }

    private func notUnderstood(_ path: String, _ text: String) -> PlainFailure {
        PlainFailure(
            "\(path): states a projection that is not understood (\(quoted(String(text.prefix(60))))): the polygon's place is not known; reproject it to that of the product, for example with ogr2ogr -t_srs"
        )
    }

    /// Outlines of ISSM: heading lines with #, a count, then so many lines with x and y. All outlines together are one polygon, so
    /// that one inside another is a hole.
    private mutating func readExp() throws {
        system = .map(nil)
        var rings: [Polygon.Ring] = []
        var missing = 0
        var announced = false
        let text = String(decoding: try contents(), as: UTF8.self)
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            if line.hasPrefix("#") {
                announced = announced || line.lowercased().contains("points count")
                continue
            }
            let words = line.split { $0 == " " || $0 == "\t" }
            guard !words.isEmpty else { continue }
            func expected(_ what: String) -> PlainFailure {
                damaged("line \(number + 1) is \(quoted(String(line))), expected \(what)")
            }
            guard words.count >= 2, let first = Double(words[0]), let second = Double(words[1]), first.isFinite,
                second.isFinite
            else { throw expected("two numbers") }
            if missing == 0 {
                guard announced, let count = Int(exactly: first), count > 0, count <= text.utf8.count else {
                    throw expected("the number of points of an outline")
                }
                rings.append([])
                missing = count
                announced = false
            } else {
                rings[rings.count - 1].append((first, second))
                missing -= 1
            }
        }
        guard missing == 0 else { throw damaged("the last outline lacks \(missing) points") }
        parts = [rings]
    }
}

/// All polygons of a GeoJSON text, at any depth of collections.
private struct GeoJSONShapes: Decodable {
    /// Corners [x, y, ...] of rings of polygons.
    var polygons: [[[[Double]]]] = []
    /// Types of the other geometries.
    var others: Set<String> = []
    var systemName: String?

    private enum Key: String, CodingKey {
        case type, features, geometry, geometries, coordinates, crs, properties, name
    }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        let type = try object.decode(String.self, forKey: .type)
        var inner: [GeoJSONShapes] = []
        switch type {
        case "FeatureCollection": inner = try object.decode([GeoJSONShapes].self, forKey: .features)
        case "Feature": inner = try object.decodeIfPresent(GeoJSONShapes.self, forKey: .geometry).map { [$0] } ?? []
        case "GeometryCollection": inner = try object.decode([GeoJSONShapes].self, forKey: .geometries)
        case "Polygon": polygons = [try object.decode([[[Double]]].self, forKey: .coordinates)]
        case "MultiPolygon": polygons = try object.decode([[[[Double]]]].self, forKey: .coordinates)
        default: others = [type]
        }
        polygons += inner.flatMap(\.polygons)
        for shapes in inner { others.formUnion(shapes.others) }
        if let system = try? object.nestedContainer(keyedBy: Key.self, forKey: .crs),
            let properties = try? system.nestedContainer(keyedBy: Key.self, forKey: .properties)
        {
            systemName = try? properties.decode(String.self, forKey: .name)
        }
    }

    static func explanation(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "no \(quoted(key.stringValue))\(place(context))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "a value of the wrong kind\(place(context))"
        default: "it is not JSON"
        }
    }

    private static func place(_ context: DecodingError.Context) -> String {
        let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
        return path.isEmpty ? "" : " in \(path.joined(separator: "."))"
    }
}
