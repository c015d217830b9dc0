import Fields
import MapProjections
import Testing

@Suite("Polar stereographic coordinates")
struct PolarProjectionTests {
    private func projection(_ code: Int) -> Projection {
        Projection(attributes: [("spatial_epsg", .number(Double(code)))]).completed
    }

    @Test("the example of EPSG's Guidance Note 7-2 for this method is met to its centimetres")
    func example() throws {
        // Australian Antarctic Polar Stereographic, EPSG:3032: 75° S, 120° E.
        let mapping = Projection(attributes: [
            ("grid_mapping_name", .text("polar_stereographic")), ("latitude_of_projection_origin", .number(-90)),
            ("standard_parallel", .number(-71)), ("straight_vertical_longitude_from_pole", .number(70)),
            ("false_easting", .number(6_000_000)), ("false_northing", .number(6_000_000)),
        ])
        let polar = try #require(PolarProjection(mapping))
        let position = polar.position(longitude: 120, latitude: -75)
        #expect(abs(position.x - 7_255_380.79) < 0.01)
        #expect(abs(position.y - 7_053_389.56) < 0.01)
    }

    @Test("back from coordinates to where they came from, on both hemispheres", arguments: [3031, 3976, 3413])
    func thereAndBack(code: Int) throws {
        let polar = try #require(PolarProjection(projection(code)))
        let sense: Double = code == 3413 ? 1 : -1
        for latitude in stride(from: 60.0, through: 89.9, by: 2.3) {
            for longitude in stride(from: -179.0, through: 179, by: 13.7) {
                let position = polar.position(longitude: longitude, latitude: sense * latitude)
                let back = polar.coordinates(x: position.x, y: position.y)
                #expect(abs(back.latitude - sense * latitude) < 1e-10)
                #expect(abs((back.longitude - longitude).remainder(dividingBy: 360)) < 1e-9)
            }
        }
    }

    @Test("areas are true at the standard parallel, and elsewhere what small squares on the ground become")
    func areas() throws {
        let polar = try #require(PolarProjection(projection(3031)))
        let there = polar.position(longitude: 33, latitude: -71)
        #expect(abs(polar.areaScale(x: there.x, y: there.y) - 1) < 1e-9)
        // A degree of latitude at 80° S is 111.66 km long (WGS 84).
        let a = polar.position(longitude: 0, latitude: -79.995)
        let b = polar.position(longitude: 0, latitude: -80.005)
        let k = (a.y - b.y) / 1116.6
        #expect(abs(polar.areaScale(x: 0, y: (a.y + b.y) / 2) / (k * k) - 1) < 1e-4)
    }

    @Test("what is no polar stereographic projection, or lacks a parameter, is none")
    func refused() {
        #expect(PolarProjection(nil) == nil)
        var attributes = projection(3031).attributes.filter { $0.name != "spatial_epsg" }
        attributes[2].value = .text("71 south")
        #expect(PolarProjection(Projection(attributes: attributes)) == nil)
        attributes = projection(3031).attributes.filter { $0.name != "spatial_epsg" }
        attributes[0].value = .text("lambert_azimuthal_equal_area")
        #expect(PolarProjection(Projection(attributes: attributes)) == nil)
    }
}
