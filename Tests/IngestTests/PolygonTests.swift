import Fields
import Foundation
import Ingest
import MapProjections
import PointStore
import TestSupport
import Testing

@Suite("Polygons that say what to invert")
struct PolygonTests {
    private typealias Ring = OutlineFiles.Ring

    /// The eastern part of the small shelf without a square in it, and a square in the west.
    private static let outer: Ring = [(8_000, -5000), (25_000, -5000), (25_000, 20_000), (8_000, 20_000)]
    private static let hole: Ring = [(11_900, 3900), (16_100, 3900), (16_100, 8100), (11_900, 8100)]
    private static let second: Ring = [(2100, 2100), (4900, 2100), (4900, 4900), (2100, 4900)]

    private static func isInside(_ x: Double, _ y: Double) -> Bool {
        (x > 8000 && !(x > 11_900 && x < 16_100 && y > 3900 && y < 8100))
            || (x > 2100 && x < 4900 && y > 2100 && y < 4900)
    }

    private static let system = #""crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3031"}},"#

    /// Corners every hundred metres, in degrees: near the pole a straight line is none in longitude and latitude.
    private static func degrees(_ ring: Ring) -> Ring {
        let polar = PolarProjection(Projection(attributes: [("spatial_epsg", .number(3031))]))!
        return zip(ring, ring.dropFirst() + [ring[0]]).flatMap { a, b in
            (0..<200).map { step in
                let share = Double(step) / 200
                let place = polar.coordinates(x: a.x + share * (b.x - a.x), y: a.y + share * (b.y - a.y))
                return (x: place.longitude, y: place.latitude)
            }
        }
    }

    private func check(_ name: String, write: (TemporaryFolder) throws -> Void) throws {
        var workplace = try Workplace()
        try write(workplace.folder)
        workplace.request.polygon = workplace.folder.file(name)
        let store = try workplace.store()
        let (xs, ys) = (try store.physical(.velocity, .x), try store.physical(.velocity, .y))
        let all = SmallShelf.measures().x.flatMap { x in SmallShelf.measures().y.map { (x, $0) } }
        let inside = all.filter { SmallShelf.cover($0.0, $0.1) == 3 && PolygonTests.isInside($0.0, $0.1) }
        #expect(xs.count > 0 && zip(xs, ys).allSatisfy { PolygonTests.isInside($0, $1) })
        #expect(xs.count == inside.count)
        // Cut ice is no front: points stay on the eastern end.
        let fronts = try store.physical(.front, .x)
        #expect(fronts.count > 10 && fronts.allSatisfy { abs($0 - 20_000) < 401 })
    }

    @Test("GeoJSON in the projection of the product, with holes, several polygons and other geometry beside them")
    func projectedGeoJSON() throws {
        try check("area.geojson") {
            let text = OutlineFiles.geoJSON(
                [[PolygonTests.outer, PolygonTests.hole], [PolygonTests.second]], system: PolygonTests.system)
            try text.write(toFile: $0.file("area.geojson"), atomically: true, encoding: .utf8)
        }
    }

    @Test("GeoJSON by its standard, in longitude and latitude")
    func geographicGeoJSON() throws {
        let parts = [[PolygonTests.outer, PolygonTests.hole], [PolygonTests.second]].map {
            $0.map(PolygonTests.degrees)
        }
        // A ring around the meridian of 180° would need to be cut there; this one has x > 0.
        try check("area.json") {
            try OutlineFiles.geoJSON(parts, system: "").write(
                toFile: $0.file("area.json"), atomically: true, encoding: .utf8)
        }
    }

    @Test("a rectangle keeps the observations that the region of its corners keeps")
    func rectangle() throws {
        var byRegion = try Workplace()
        byRegion.request.region = Region(xMin: 3100, xMax: 12_300, yMin: 2900, yMax: 9400)
        let corners = [(x: 3100.0, y: 2900.0), (12_300, 2900), (12_300, 9400), (3100, 9400), (3100, 2900)]
        var byPolygon = try Workplace()
        let path = byPolygon.folder.file("box.json")
        try OutlineFiles.geoJSON([[corners]], system: PolygonTests.system).write(
            toFile: path, atomically: true, encoding: .utf8)
        byPolygon.request.polygon = path
        let (region, polygon) = (try byRegion.store(), try byPolygon.store())
        for set in [PointSet.velocity, .thickness] {
            let places = try [region, polygon].map {
                Set(zip(try $0.physical(set, .x), try $0.physical(set, .y)).map { "\($0.rounded()) \($1.rounded())" })
            }
            #expect(places[0] == places[1] && !places[0].isEmpty)
        }
    }

    @Test("an outline of ISSM, where one contour inside of another is a hole")
    func issmOutline() throws {
        try check("area.exp") {
            try OutlineFiles.exp([PolygonTests.outer, PolygonTests.hole, PolygonTests.second]).write(
                toFile: $0.file("area.exp"), atomically: true, encoding: .utf8)
        }
    }

    @Test("a shapefile with and without a description of its system")
    func shapefile() throws {
        let projected = """
            PROJCS["WGS_1984_Antarctic_Polar_Stereographic",\(PolygonTests.wgs84),PROJECTION["Stereographic_South_Pole"],\
            PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",0.0],\
            PARAMETER["Standard_Parallel_1",-71.0],UNIT["Meter",1.0]]
            """
        for system in [nil, projected] {
            try check("area.shp") {
                try OutlineFiles.writeShapefile(
                    [[PolygonTests.outer, PolygonTests.hole], [PolygonTests.second]], to: $0.file("area"))
                try system?.write(toFile: $0.file("area.prj"), atomically: true, encoding: .utf8)
            }
        }
        let geographic = #"GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984"]]"#
        try check("area.shp") {
            try OutlineFiles.writeShapefile(
                [[PolygonTests.outer, PolygonTests.hole], [PolygonTests.second]].map { $0.map(PolygonTests.degrees) },
                to: $0.file("area"))
            try geographic.write(toFile: $0.file("area.prj"), atomically: true, encoding: .utf8)
        }
    }

    /// All were taken for the product's.
    @Test(
        "a shapefile in another projection, in other units, or in one that is not understood is refused",
        arguments: [
            #"PROJCS["South_Pole_Lambert_Azimuthal_Equal_Area",\#(wgs84),PROJECTION["Lambert_Azimuthal_Equal_Area"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",0.0],PARAMETER["Latitude_Of_Origin",-90.0],UNIT["Meter",1.0]]"#,
            #"PROJCS["Mine",\#(wgs84),PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",10000000.0],PARAMETER["Central_Meridian",69.0],PARAMETER["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]"#,
            #"PROJCS["Polar",\#(wgs84),PROJECTION["Stereographic_South_Pole"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",0.0],PARAMETER["Standard_Parallel_1",-71.0],UNIT["Kilometer",1000.0]]"#,
            "GARBAGE", "",
        ])
    func otherProjections(system: String) throws {
        let workplace = try Workplace()
        try OutlineFiles.writeShapefile([[PolygonTests.outer]], to: workplace.folder.file("area"))
        try Data(system.utf8 + [0xA0]).write(to: URL(fileURLWithPath: workplace.folder.file("area.prj")))
        #expect(throws: PlainFailure.self) {
            try PolygonFile(path: workplace.folder.file("area.shp")).polygon(
                in: Projection(attributes: [("spatial_epsg", .number(3031))]).completed, of: "a product",
                extent: Region(xMin: -1e9, xMax: 1e9, yMin: -1e9, yMax: 1e9))
        }
    }

    private static let wgs84 =
        #"GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]"#

    struct Mistake: Sendable, CustomTestStringConvertible {
        let name: String
        let text: String?
        let kind: FailureKind
        let saying: String
        var testDescription: String { "\(name): \(saying)" }
    }

    @Test("corners with the latitude first are told")
    func latitudeFirst() throws {
        var workplace = try Workplace()
        let turned = PolygonTests.degrees(PolygonTests.outer).map { (x: $0.y, y: $0.x) }
        try OutlineFiles.geoJSON([[turned]], system: "").write(
            toFile: workplace.folder.file("area.json"), atomically: true, encoding: .utf8)
        workplace.request.polygon = workplace.folder.file("area.json")
        let failure = try #require(workplace.failure())
        #expect(failure.explanation.contains("write the longitude first"), "\(failure.explanation)")
    }

    private static let square = #"{"type": "Polygon", "coordinates": [[[1000, 1000], [5000, 1000], [5000, 5000]]]}"#

    static let mistakes = [
        Mistake(name: "area.kml", text: "<kml/>", kind: .usage, saying: "neither GeoJSON"),
        Mistake(name: "area.geojson", text: nil, kind: .missingInput, saying: "cannot read"),
        Mistake(name: "area.shp", text: nil, kind: .missingInput, saying: "cannot read"),
        Mistake(name: "area.shp", text: "no shapes", kind: .badData, saying: ".shx"),
        Mistake(name: "area.geojson", text: "", kind: .badData, saying: "empty"),
        Mistake(name: "area.geojson", text: "{", kind: .badData, saying: "not JSON"),
        Mistake(name: "area.geojson", text: "{}", kind: .badData, saying: "'type'"),
        Mistake(
            name: "area.geojson", text: #"{"type": "Point", "coordinates": [1, 2]}"#, kind: .badData, saying: "Point"),
        Mistake(
            name: "area.geojson", text: #"{"type": "Polygon", "coordinates": [[[1], [2], [3]]]}"#, kind: .badData,
            saying: "without x and y"),
        Mistake(
            name: "area.geojson", text: #"{"type": "Polygon", "coordinates": [["a"]]}"#, kind: .badData,
            saying: "wrong kind in coordinates"),
        Mistake(
            name: "area.geojson", text: String(repeating: "[", count: 100_000), kind: .badData, saying: "not JSON"),
        Mistake(
            name: "area.geojson",
            text: #"{"type": "Polygon", "coordinates": [[[9e6, 1000], [9.1e6, 1000], [9e6, 5000]]]}"#, kind: .badData,
            saying: "does not overlap"),
        Mistake(
            name: "area.geojson",
            text: #"{"type": "Polygon", "coordinates": [[[-1400, 1000], [-1300, 1000], [-1300, 5000]]]}"#,
            kind: .badData,
            saying: "no floating ice inside the polygon"),
        Mistake(
            name: "area.geojson",
            text: square.replacingOccurrences(
                of: #""type""#,
                with: #""crs": {"type": "name", "properties": {"name": "EPSG:3413"}}, "type""#), kind: .badData,
            saying: "EPSG:3413"),
        Mistake(name: "area.exp", text: "1 2\n3 4\n", kind: .badData, saying: "line 1"),
        Mistake(
            name: "area.exp", text: "# Points Count Value\n4 1.0\n0 0\n1 1\n", kind: .badData, saying: "lacks 2 points"),
        Mistake(
            name: "area.exp", text: "# Points Count Value\n1e300 1.0\n0 0\n", kind: .badData, saying: "number of points"
        ),
    ]

    @Test("a polygon that cannot be used is one clear line", arguments: mistakes)
    func mistake(_ mistake: Mistake) throws {
        var workplace = try Workplace()
        let path = workplace.folder.file(mistake.name)
        try mistake.text?.write(toFile: path, atomically: true, encoding: .utf8)
        workplace.request.polygon = path
        let failure = try #require(workplace.failure())
        #expect(failure.kind == mistake.kind)
        #expect(failure.explanation.contains(mistake.saying), "\(failure.explanation)")
        #expect(failure.explanation.contains("area.") && !failure.explanation.contains("\n"))
    }

    @Test(
        "the outline of the Amery's floating ice leaves what the mask leaves",
        .enabled(if: Places.shared("amery_outline.exp") != nil))
    func amery() throws {
        let folder = try TemporaryFolder()
        var counts: [Int] = []
        for polygon in [nil, Places.shared("amery_outline.exp")] {
            var request = IngestRequest(velocity: Places.shared("amery_velocity_measures.nc")!)
            request.thickness = Places.shared("amery_bedmachine_v2.nc")
            request.polygon = polygon
            request.points = 1000
            request.store = folder.file("store.nc")
            counts.append(try IngestRun(request).run().counts[.thickness] ?? 0)
        }
        #expect(counts[1] <= counts[0] && Double(counts[1]) > 0.99 * Double(counts[0]), "\(counts)")
    }
}
