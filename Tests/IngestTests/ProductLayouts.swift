import NetCDFFiles
import TestSupport
import Testing

/// A product as its publisher lays it out, small: the shelf of `SmallShelf` in its names, types, units and
/// marks for missing data, and the file that goes with it.
struct ProductLayout: Sendable, CustomTestStringConvertible {
    /// The file of the catalog that must read it.
    var schema: String
    var epsg = 3031
    /// Of speeds and thicknesses, where the product rounds them.
    var tolerance = 1e-3
    /// Velocity cells on the shelf.
    var cells = 240
    var hasErrors = true
    var hasFront = true
    /// Variables without which it must be refused.
    var needed: [String]
    var isVelocity: Bool
    /// The unit that the schema knows where the file states none.
    var knowsUnit = false
    var make: @Sendable () -> (velocity: GridFile, thickness: GridFile)

    var testDescription: String { schema }

    static let all: [ProductLayout] = velocities + antarcticBeds + greenlandBeds + bedmaps + [common]

    // MARK: velocity

    private static let velocities: [ProductLayout] = [
        ProductLayout(
            schema: "nsidc-0754-v1.toml", hasErrors: false, needed: ["VX", "VY"], isVelocity: true
        ) { (SmallShelf.measures(), SmallShelf.bedMachine()) },
        ProductLayout(schema: "nsidc-0484-v2.toml", needed: ["VX", "VY"], isVelocity: true) {
            var file = SmallShelf.measures()
            file.globals = [("title", .text("MEaSURES Antarctica Ice Velocity Map 450m spacing"))]
            for name in ["STDX", "STDY", "ERRX", "ERRY"] {
                file.fields.append(SmallShelf.velocity(name) { x, _ in x < 9000 ? 2 : 4 })
            }
            file.fields.append(
                .init(name: "CNT", type: .int32, attributes: [("units", .text("Count"))]) { _, _ in 74 })
            return (file, SmallShelf.bedMachine())
        },
        ProductLayout(
            schema: "nsidc-0484-v1.toml", cells: 239, needed: ["vx", "vy"], isVelocity: true, knowsUnit: true
        ) { (withoutCoordinates(title: "Antarctica Ice Velocity"), SmallShelf.bedMachine()) },
        ProductLayout(
            schema: "nsidc-0545-v1.toml", cells: 239, needed: ["vx", "vy"], isVelocity: true, knowsUnit: true
        ) {
            (
                withoutCoordinates(title: "MEaSUREs InSAR-Based Ice Velocity of the Amundsen Sea Embayment"),
                SmallShelf.bedMachine()
            )
        },
        ProductLayout(
            schema: "its-live-v1.toml", tolerance: 0.501, cells: 239, needed: ["vx", "vy"], isVelocity: true,
            make: { (itsLive1(), SmallShelf.bedMachine()) }),
        ProductLayout(
            schema: "its-live-v2.toml", cells: 239, hasFront: false, needed: ["vx", "vy"], isVelocity: true
        ) {
            // Its own mask is used where the thickness brings none.
            var bed = SmallShelf.bedMachine()
            bed.fields.removeAll { $0.name == "mask" }
            return (itsLive2(), bed)
        },
    ]

    /// As NSIDC-0484 v1: the grid is told by text, zero is no data.
    private static func withoutCoordinates(title: String) -> GridFile {
        var file = SmallShelf.measures()
        file.hasAxes = false
        (file.xName, file.yName) = ("nx", "ny")
        file.mapping = nil
        file.fields = [
            SmallShelf.velocity("vx") { x, y in isGap(x, y) ? 0 : SmallShelf.u(x, y) },
            SmallShelf.velocity("vy") { x, y in isGap(x, y) ? 0 : SmallShelf.v(x, y) },
            SmallShelf.velocity("err") { x, _ in x < 9000 ? 2 : 4 },
        ]
        for number in file.fields.indices { file.fields[number][attribute: "grid_mapping"] = nil }
        file.globals = [
            ("title", .text(title)), ("nx", .numbers([24])), ("ny", .numbers([16])), ("xmin", .text("-1500.0 m")),
            ("ymax", .text("13500.0 m")), ("spacing", .text("1000.0 m")),
        ]
        return file
    }

    /// One cell of the shelf without data.
    private static func isGap(_ x: Double, _ y: Double) -> Bool { x == 4500 && y == 4500 }

    private static func itsLive1() -> GridFile {
        var file = SmallShelf.measures()
        let whole = { @Sendable (value: Double, x: Double, y: Double) in isGap(x, y) ? -32767 : value.rounded() }
        func field(_ name: String, _ value: @escaping @Sendable (Double, Double) -> Double) -> GridFile.Field {
            GridFile.Field(
                name: name, type: .int16,
                attributes: [
                    ("units", .text("meter/year")), ("_FillValue", .numbers([-32767])),
                    ("grid_mapping", .text("Polar_Stereographic")),
                ]
            ) { whole(value($0, $1), $0, $1) }
        }
        file.fields = [
            field("vx", SmallShelf.u), field("vy", SmallShelf.v),
            field("v") { x, y in (SmallShelf.u(x, y) * SmallShelf.u(x, y)).squareRoot() },
        ]
        for name in ["vx_err", "vy_err"] {
            var error = SmallShelf.velocity(name) { x, y in isGap(x, y) ? 0 : (x < 9000 ? 2 : 4) }
            error[attribute: "_FillValue"] = .numbers([0])
            file.fields.append(error)
        }
        for name in ["ocean", "rock", "ice"] {
            file.fields.append(
                .init(name: name, type: .uint8, attributes: [("_FillValue", .numbers([0]))]) { _, _ in
                    name == "ice" ? 1 : 0
                })
        }
        // As the old files have it: no standard_parallel, an axis in kilometres.
        file.mapping = (
            "Polar_Stereographic",
            [
                ("grid_mapping_name", .text("polar_stereographic")), ("latitude_of_projection_origin", .numbers([-90])),
                ("latitude_of_origin", .numbers([-71])), ("straight_vertical_longitude_from_pole", .numbers([0])),
                ("semi_major_axis", .numbers([6_378_137])), ("semi_minor_axis", .numbers([6356.752])),
                ("GeoTransform", .text("-2000 1000 0 14000 0 -1000")),
            ]
        )
        file.globals = []
        return file
    }

    private static func itsLive2() -> GridFile {
        var file = SmallShelf.measures()
        file.fields = ["vx", "vy", "v"].map { name in
            var field = SmallShelf.velocity(name) { x, y in
                isGap(x, y) ? -32767 : (name == "vy" ? SmallShelf.v(x, y) : SmallShelf.u(x, y))
            }
            field[attribute: "_FillValue"] = .numbers([-32767])
            field[attribute: "grid_mapping"] = .text("mapping")
            return field
        }
        for name in ["v_error", "vx_error", "vy_error"] {
            file.fields.append(
                .init(
                    name: name, type: .uint16,
                    attributes: [("units", .text("meter/year")), ("missing_value", .numbers([32767]))]
                ) { x, y in isGap(x, y) ? 32767 : (x < 9000 ? 2 : 4) })
        }
        for (name, covers) in [("landice", [2.0, 3]), ("floatingice", [3])] {
            file.fields.append(
                .init(name: name, type: .uint8, attributes: [("missing_value", .numbers([0]))]) { x, y in
                    covers.contains(SmallShelf.cover(x, y)) ? 1 : 0
                })
        }
        file.mapping = SmallShelf.projection("mapping")
        file.globals = []
        file.chunks = [5, 7]
        return file
    }

    // MARK: thickness

    private static func bedMachine(version: String, title: String) -> GridFile {
        var file = SmallShelf.bedMachine()
        // The interior declares no fill: the ocean has zero.
        file["thickness"][attribute: "_FillValue"] = nil
        file["thickness"].value = { x, y in SmallShelf.cover(x, y) == 0 ? 0 : SmallShelf.h(x, y) }
        for (name, value) in [("surface", 50.0), ("bed", -600), ("firn", 12)] {
            file.fields.append(.init(name: name, attributes: [("units", .text("meters"))]) { _, _ in value })
        }
        file.fields.append(
            .init(name: "errbed", attributes: [("units", .text("meters"))]) { x, _ in x < 4000 ? 60 : 30 })
        file.fields.append(
            .init(name: "geoid", type: .int16, attributes: [("units", .text("meters"))]) { _, _ in 20 })
        file.globals[0] = ("version", .text(version))
        file.globals.append(("title", .text(title)))
        return file
    }

    private static let antarcticBeds: [ProductLayout] = [
        ("05-Nov-2019 (v1.38)", "1"), ("15-Jul-2020 (v2)", "2"), ("03-Aug-2022 (v3.4)", "3"), ("2025 (v4.0)", "4"),
    ].map { version, number in
        ProductLayout(
            schema: "bedmachine-antarctica-v\(number).toml", needed: ["thickness", "mask"], isVelocity: false
        ) {
            var bed = bedMachine(version: version, title: "BedMachine Antarctica")
            if number == "1" {
                // The fields name a mapping that is not there; its attributes are the file's, with another ellipsoid.
                bed.mapping = nil
                bed.globals += [
                    ("grid_mapping_name", .text("polar_stereographic")), ("semi_major_axis", .numbers([6_378_273])),
                    ("inverse_flattening", .numbers([298.2794])),
                ]
            }
            return (SmallShelf.measures(), bed)
        }
    }

    private static let greenlandBeds: [ProductLayout] = ["3", "4", "5"].map { number in
        ProductLayout(
            schema: "bedmachine-greenland-v\(number).toml", epsg: 3413, needed: ["thickness", "mask"],
            isVelocity: false
        ) {
            var bed = bedMachine(version: "2022 (v\(number).1)", title: "BedMachine Greenland")
            bed["errbed"].type = .int16
            // Errors declare what the thickness does not.
            bed["errbed"][attribute: "_FillValue"] = .numbers([-9999])
            bed["mask"][attribute: "flag_meanings"] = .text(
                "ocean ice_free_land grounded_ice floating_ice non_greenland_land")
            var velocity = SmallShelf.measures()
            velocity.globals = []
            for (name, value) in [
                ("latitude_of_projection_origin", 90.0), ("standard_parallel", 70),
                ("straight_vertical_longitude_from_pole", -45),
            ] {
                for place in bed.mapping!.attributes.indices where bed.mapping!.attributes[place].0 == name {
                    bed.mapping!.attributes[place].1 = .numbers([value])
                    velocity.mapping!.attributes[place].1 = .numbers([value])
                }
            }
            return (velocity, bed)
        }
    }

    private static let bedmaps: [ProductLayout] = [
        ProductLayout(
            schema: "bedmap3.toml", needed: ["ice_thickness", "mask"], isVelocity: false, knowsUnit: true
        ) {
            var bed = SmallShelf.bedMachine()
            bed.axisType = .double
            let isIce = { @Sendable (x: Double, y: Double) in SmallShelf.cover(x, y) != 0 }
            bed.fields = ["ice_thickness", "bed_topography", "surface_topography", "thickness_uncertainty"].map {
                name in
                .init(name: name, attributes: [("units", .text("m")), ("grid_mapping", .text("mapping"))]) { x, y in
                    if !isIce(x, y) { return .nan }
                    return name == "ice_thickness" ? SmallShelf.h(x, y) : (name == "thickness_uncertainty" ? 30 : 50)
                }
            }
            // Other numbers than BedMachine's: 1 grounded, 2 grounded at times, 4 rock; the ocean has none.
            bed.fields.append(
                .init(name: "mask", type: .int16, attributes: [("_FillValue", .numbers([-9999]))]) { x, y in
                    isIce(x, y) ? (SmallShelf.cover(x, y) == 3 ? 3 : (y < 0 ? 4 : (x < -1000 ? 2 : 1))) : -9999
                })
            bed.globals = []
            return (SmallShelf.measures(), bed)
        },
        ProductLayout(
            schema: "bedmap2.toml", hasErrors: false, needed: ["thickness"], isVelocity: false, knowsUnit: true
        ) {
            var bed = SmallShelf.bedMachine()
            bed.axisUnit = nil
            bed.mapping = nil
            bed.globals = []
            bed.fields = [
                .init(name: "thickness", attributes: [("units", .text("meters"))]) { x, y in
                    SmallShelf.cover(x, y) == 0 ? .nan : SmallShelf.h(x, y)
                },
                // A mask that went through xarray: NaN, in floating point.
                .init(name: "icemask_grounded_and_shelves") { x, y in
                    SmallShelf.cover(x, y) == 0 ? .nan : (SmallShelf.cover(x, y) == 3 ? 1 : 0)
                },
            ]
            return (SmallShelf.measures(), bed)
        },
    ]

    private static let common = ProductLayout(
        schema: "common.toml", hasErrors: false, needed: ["vx", "vy"], isVelocity: true
    ) {
        var file = SmallShelf.measures()
        file.globals = []
        for (old, new) in [("VX", "vx"), ("VY", "vy")] { file[old].name = new }
        return (file, SmallShelf.bedMachine())
    }
}
