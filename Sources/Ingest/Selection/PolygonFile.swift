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
        default: throw PolygonError.unknownFormat(path: path)
        }
        parts = parts.map { $0.filter { $0.count >= 3 } }.filter { !$0.isEmpty }
        guard !parts.isEmpty else {
            throw PolygonError.noPolygon(path: path, found: "only rings of fewer than three corners")
        }
        for corner in parts.joined().joined() where !(abs(corner.x) < 1e9 && abs(corner.y) < 1e9) {
            throw PolygonError.damaged(path: path, reason: "a corner at \(corner.x), \(corner.y)")
        }
    }

    /// The polygon in the projection of a product.
    package func polygon(in projection: Projection?, of product: String, extent: Region) throws -> Polygon {
        var isDegrees = false
        switch system {
        case .degrees: isDegrees = true
        // No outline on a map of an ice sheet fits into 360 m around the pole.
        case .unstated: isDegrees = parts.joined().joined().allSatisfy { abs($0.x) <= 360 && abs($0.y) <= 360 }
        case .map(let mine):
            guard let mine, let projection else { break }
            if let code = mine.epsgCode, let other = projection.epsgCode {
                guard code == other else {
                    throw PolygonError.otherSystem(path: path, "EPSG:\(code)", product: product, "EPSG:\(other)")
                }
            } else if let difference = mine.firstDifference(from: projection) {
                throw PolygonError.otherSystem(
                    path: path, "\(difference.attribute) \(difference.mine)", product: product, difference.other)
            }
        }
        guard isDegrees else { return Polygon(parts: parts) }
        guard let polar = PolarProjection(projection) else {
            throw PolygonError.notProjectable(path: path, product: product)
        }
        let isOnEarth = { (corners: [Polygon.Ring]) in
            corners.joined().allSatisfy { abs($0.x) <= 360 && abs($0.y) <= 90 }
        }
        let projected = { (parts: [[Polygon.Ring]]) in
            Polygon(parts: parts.map { $0.map { PolygonFile.projected($0, polar) } })
        }
        if isOnEarth(Array(parts.joined())) {
            let polygon = projected(parts)
            if polygon.bounds.intersection(extent) != nil { return polygon }
        }
        // Many programs write the latitude first.
        let swapped = parts.map { $0.map { $0.map { (x: $0.y, y: $0.x) } } }
        if isOnEarth(Array(swapped.joined())), projected(swapped).bounds.intersection(extent) != nil {
            throw PolygonError.latitudeFirst(path: path)
        }
        for corner in parts.joined().joined() where abs(corner.x) > 360 || abs(corner.y) > 90 {
            throw PolygonError.damaged(path: path, reason: "longitude \(corner.x), latitude \(corner.y)")
        }
        return projected(parts)
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
        try requireFile(path)
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw PolygonError.unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { try? file.close() }
        guard let data = try? file.read(upToCount: PolygonFile.maxBytes + 1), !data.isEmpty else {
            throw PolygonError.noPolygon(path: path, found: "an empty file")
        }
        guard data.count <= PolygonFile.maxBytes else {
            throw PolygonError.damaged(path: path, reason: "more than \(PolygonFile.maxBytes >> 20) MB")
        }
        return data
    }

    /// Opening a pipe without a writer would block forever.
    private func requireFile(_ path: String) throws {
        var info = stat()
        guard stat(path, &info) == 0 else {
            throw PolygonError.unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        if let kind = kindOfSpecialFile(info) {
            throw PolygonError.unreadable(path: path, reason: "it is \(kind), expected a regular file")
        }
    }

    private mutating func readGeoJSON() throws {
        let shapes: GeoJSONShapes
        do {
            shapes = try JSONDecoder().decode(GeoJSONShapes.self, from: try contents())
        } catch let error as DecodingError {
            throw PolygonError.damaged(path: path, reason: GeoJSONShapes.explanation(of: error))
        }
        guard !shapes.polygons.isEmpty else {
            throw PolygonError.noPolygon(
                path: path,
                found: shapes.others.isEmpty ? "none" : shapes.others.sorted().map(quoted).joined(separator: ", "))
        }
        for polygon in shapes.polygons {
            parts.append(
                try polygon.map { ring in
                    try ring.map {
                        guard $0.count >= 2 else {
                            throw PolygonError.damaged(path: path, reason: "a corner without x and y")
                        }
                        return (x: $0[0], y: $0[1])
                    }
                })
        }
        // Degrees by the standard; QGIS and GDAL write "crs" for anything else, following the draft of 2008.
        if let name = shapes.systemName {
            let code = name.split(separator: ":").last.flatMap { Int($0) }
            let isGeographic =
                name.contains("CRS84") || code == 4326
                || code.flatMap(ReferenceSystem.init(epsg:))?.isGeographic == true
            system =
                isGeographic
                ? .degrees : .map(code.map { Projection(attributes: [("spatial_epsg", .number(Double($0)))]) })
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
            throw PolygonError.damaged(
                path: path,
                reason: FileManager.default.fileExists(atPath: "\(base).shx")
                    ? "it cannot be opened as a shapefile" : "its index \(base).shx is missing")
        }
        defer { SHPClose(shapes) }
        var count: Int32 = 0
        var type: Int32 = 0
        SHPGetInfo(shapes, &count, &type, nil, nil)
        guard [SHPT_POLYGON, SHPT_POLYGONZ, SHPT_POLYGONM].contains(type) else {
            throw PolygonError.noPolygon(path: path, found: "shapes of type \(type)")
        }
        for number in 0..<count {
            let read = withNetCDFLock(UInt(bitPattern: SHPReadObject(shapes, number)))
            guard let shape = UnsafeMutablePointer<SHPObject>(bitPattern: read) else {
                throw PolygonError.damaged(path: path, reason: "shape \(number) cannot be read")
            }
            defer { SHPDestroyObject(shape) }
            let corners = Int(shape.pointee.nVertices)
            guard corners > 0, let xs = shape.pointee.padfX, let ys = shape.pointee.padfY else { continue }
            var starts = (0..<Int(shape.pointee.nParts)).map { Int(shape.pointee.panPartStart[$0]) }
            if starts.isEmpty { starts = [0] }
            parts.append(
                try zip(starts, starts.dropFirst() + [corners]).map { start, end in
                    guard start >= 0, start <= end, end <= corners else {
                        throw PolygonError.damaged(path: path, reason: "shape \(number) has corners out of order")
                    }
                    return (start..<end).map { (x: xs[$0], y: ys[$0]) }
                })
        }
        if let text = try? String(contentsOfFile: "\(base).prj", encoding: .utf8) {
            let isGeographic = ["GEOG", "GEOD"].contains(where: text.trimmingBlanks().uppercased().hasPrefix)
            system = LibraryCrash.guarded(reading: "\(base).prj") {
                isGeographic ? .degrees : .map(Projection(attributes: [("crs_wkt", .text(text))]).completed)
            }
        }
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
            let damaged = { [path] (reason: String) in
                PolygonError.damaged(path: path, reason: "line \(number + 1) \(reason)")
            }
            guard words.count >= 2, let first = Double(words[0]), let second = Double(words[1]), first.isFinite,
                second.isFinite
            else { throw damaged("is \(quoted(String(line))), expected two numbers") }
            if missing == 0 {
                guard announced, let count = Int(exactly: first), count > 0, count <= text.utf8.count else {
                    throw damaged("is \(quoted(String(line))), expected the number of points of an outline")
                }
                rings.append([])
                missing = count
                announced = false
            } else {
                rings[rings.count - 1].append((first, second))
                missing -= 1
            }
        }
        guard missing == 0 else {
            throw PolygonError.damaged(path: path, reason: "the last outline lacks \(missing) points")
        }
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
