import Fields
import Glibc
import MapProjections
import Testing

@Suite("Coordinate reference systems by number, text and parameters")
struct ReferenceSystemTests {
    private static let datum =
        "GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563]],PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433],AUTHORITY[\"EPSG\",\"4326\"]]"

    private static func text(_ end: String = "", method: String = "Polar_Stereographic") -> String {
        "PROJCS[\"x\",\(datum),PROJECTION[\"\(method)\"],PARAMETER[\"latitude_of_origin\",-71],PARAMETER[\"central_meridian\",10],PARAMETER[\"false_easting\",0],PARAMETER[\"false_northing\",0],UNIT[\"metre\",1]\(end)]"
    }

    private func code(_ text: String) -> Int? { Projection(attributes: [("crs_wkt", .text(text))]).epsgCode }

    @Test("the code of a text is the outermost one, and a system that EPSG does not know has none")
    func outermostCode() {
        #expect(code(ReferenceSystemTests.text(",AUTHORITY[\"EPSG\",\"3031\"]")) == 3031)
        #expect(code(ReferenceSystemTests.text()) == nil)
        #expect(code("") == nil && code("]]]][[[") == nil && code("ID[\"EPSG\",1]") == nil)
    }

    /// Esri's .prj files have no numbers.
    @Test("a text without a number is found by its parameters")
    func esri() throws {
        let text =
            "PROJCS[\"WGS_1984_Antarctic_Polar_Stereographic\",GEOGCS[\"GCS_WGS_1984\",DATUM[\"D_WGS_1984\",SPHEROID[\"WGS_1984\",6378137.0,298.257223563]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],PROJECTION[\"Stereographic_South_Pole\"],PARAMETER[\"False_Easting\",0.0],PARAMETER[\"False_Northing\",0.0],PARAMETER[\"Central_Meridian\",0.0],PARAMETER[\"Standard_Parallel_1\",-71.0],UNIT[\"Meter\",1.0]]"
        let system = try #require(ReferenceSystem(wellKnownText: text))
        #expect(system.epsgCode == 3031 && !system.isGeographic)
        #expect(system.attributes?[2].name == "standard_parallel" && system.attributes?[2].value == .number(-71))
        #expect(ReferenceSystem(wellKnownText: ReferenceSystemTests.datum)?.isGeographic == true)
    }

    @Test(
        "the attributes of a system have its number, whatever the turn of their longitude",
        arguments: [3031, 3976, 3413, 3032, 5041])
    func roundTrip(code: Int) throws {
        let system = try #require(ReferenceSystem(epsg: code))
        var mapping = Projection(attributes: try #require(system.attributes))
        #expect(mapping.epsgCode == code)
        mapping.attributes[3].value = .number(
            try #require(mapping.number("straight_vertical_longitude_from_pole")) + 360)
        #expect(mapping.epsgCode == code)
        #expect(self.code(try #require(system.wellKnownText)) == code)
        #expect(self.code(try #require(mapping.registeredText)) == code)
    }

    @Test(
        "other projections and ellipsoids have no such attributes, and unknown numbers are none",
        arguments: [3412, 6931, 4326, 32733])
    func others(code: Int) throws {
        #expect(try #require(ReferenceSystem(epsg: code)).attributes == nil)
        #expect(ReferenceSystem(epsg: 99_999_999) == nil)
    }

    /// A pipe that nobody writes to: whoever opens it blocks forever.
    @Test("no text makes PROJ open a file or take forever")
    func hostile() throws {
        let pipe = "/tmp/pinn-hostile-\(getpid())"
        mkfifo(pipe, 0o600)
        defer { unlink(pipe) }
        let conversion =
            "PROJCRS[\"x\",BASEGEOGCRS[\"WGS 84\",DATUM[\"World Geodetic System 1984\",ELLIPSOID[\"WGS 84\",6378137,298.257223563]]],CONVERSION[\"y\",METHOD[%],PARAMETER[\"z\",1]],CS[Cartesian,2],AXIS[\"E\",east],AXIS[\"N\",north],LENGTHUNIT[\"metre\",1]]"
        let parts = conversion.split(separator: "%").map(String.init)
        for text in [
            ReferenceSystemTests.text(",EXTENSION[\"PROJ4\",\"+proj=stere +lat_0=-90 +nadgrids=\(pipe) +no_defs\"]"),
            ReferenceSystemTests.text(",EXTENSION[\"PROJ4\",\"+init=\(pipe):a\"]"),
            parts[0] + "\"PROJ hgridshift grids=\(pipe)\"" + parts[1],
            parts[0] + "\"PROJ-based operation method: proj=hgridshift grids=\(pipe)\"" + parts[1],
            parts[0] + "\"NTv2\"],PARAMETERFILE[\"Latitude and longitude difference file\",\"\(pipe)\"" + parts[1],
            "BOUNDCRS[SOURCECRS[\(ReferenceSystemTests.text())],TARGETCRS[\(ReferenceSystemTests.datum)],ABRIDGEDTRANSFORMATION[\"a\",METHOD[\"NTv2\"],PARAMETERFILE[\"f\",\"\(pipe)\"]]]",
            pipe, "+init=\(pipe):a", "EPSG:3031", "PROJCS" + String(repeating: "[", count: 60_000),
            "PROJCS[\"" + String(repeating: "x", count: 1 << 20),
        ] {
            #expect(ReferenceSystem(wellKnownText: text) == nil, "\(text.prefix(200))")
        }
    }

    @Test("many threads may ask at once")
    func threads() async {
        let codes = await withTaskGroup(of: Int?.self) { group in
            for number in 0..<64 {
                group.addTask { ReferenceSystem(epsg: number % 2 == 0 ? 3031 : 3413)?.epsgCode }
            }
            return await group.reduce(into: Set<Int?>()) { $0.insert($1) }
        }
        #expect(codes == [3031, 3413])
    }
}
