import Fields
import Glibc
import MapProjections
import NetCDFFiles

/// Writes a solved shelf as three files: velocity in the layout of MEaSUREs (NSIDC-0754), thickness and mask in that of BedMachine
/// Antarctica (NSIDC-0756), and the true viscosity, which is for scoring and never an input.
public struct ProductWriter {
    /// Normally distributed errors of the data, relative to the shelf's mean speed and mean thickness, independent for
    /// each cell.
    public typealias Noise = (percent: Double, seed: UInt64)

    private let survey: ShelfSurvey
    private let noise: Noise?

    public init(_ survey: ShelfSurvey, noise: Noise? = nil) {
        self.survey = survey
        self.noise = noise
    }

    private static let endings = ["velocity_measures.nc", "bedmachine_v2.nc", "truth.nc"]

    /// Paths of the files that `write` makes: velocity, thickness, truth.
    private static func paths(folder: String, name: String) -> [String] {
        endings.map { folder.isEmpty ? "\(name)_\($0)" : "\(folder)/\(name)_\($0)" }
    }

    /// Throws if a file exists that pinn-sample did not write: real products may have the same names.
    public static func requireReplaceable(folder: String, name: String) throws {
        for path in paths(folder: folder, name: name) where access(path, F_OK) == 0 {
            guard try NetCDFFile.says("source", beginningWith: "pinn-sample ", path: path) else {
                throw PlainFailure(
                    .usage,
                    "\(path): exists and was not written by pinn-sample, so it is not replaced; choose another --name or --output"
                )
            }
        }
    }

    /// Writes NAME_velocity_measures.nc, NAME_bedmachine_v2.nc and NAME_truth.nc, each atomically, and returns
    /// their paths.
    public func write(folder: String, name: String) throws -> [String] {
        let paths = ProductWriter.paths(folder: folder, name: name)
        try writeVelocity(to: paths[0], id: "\(name)_\(ProductWriter.endings[0])")
        try writeThickness(to: paths[1])
        try writeTruth(to: paths[2])
        return paths
    }

    /// Global attributes that the three files have.
    private func attributes(conventions: String) -> ProductFile.Attributes {
        let (shelf, constants) = (survey.solved.shelf, survey.solved.constants)
        return [
            ("Conventions", .text(conventions)),
            ("title", .text(shelf.title)),
            ("source", .text(source)),
            ("software", .text(Version.text)),
            ("comment", .text(shelf.description)),
            ("license", .text("CC0-1.0; synthetic, no measurement of any place")),
            ("ice_density", .numbers([constants.iceDensity])),
            ("sea_water_density", .numbers([constants.seaWaterDensity])),
            ("gravity", .numbers([constants.gravity])),
            ("seconds_per_year", .numbers([Constants.secondsPerYear])),
        ]
    }

    /// The command and the parameters that made the files.
    private var source: String {
        let solved = survey.solved
        let constants = solved.constants
        let errors =
            noise.map { "noise of \($0.percent) % of mean speed and mean thickness, seed \($0.seed)" } ?? "no noise"
        return "pinn-sample --case \(solved.shelf.name): shallow-shelf equations for the viscosity of the truth file, "
            + "\(solved.mesh.columns) x \(solved.mesh.rows) bilinear elements of at most \(solved.spacing) m; "
            + "ice density \(constants.iceDensity) kg m-3, sea water density \(constants.seaWaterDensity) kg m-3, "
            + "gravity \(constants.gravity) m s-2, year of \(Constants.secondsPerYear) s; \(errors)"
    }

    // MARK: Velocity

    private func writeVelocity(to path: String, id: String) throws {
        let grid = survey.velocityGrid
        // All text attributes of the product are NC_STRING.
        let file = try ProductFile(
            path, on: grid, text: .string, mapping: "coord_system",
            [("ellipsoid", .text("WGS84"))] + Projection.antarctic.attributes
                + [("longitude_of_projection_origin", .number(0))])
        let polar = PolarProjection(.antarctic)
        let places = grid.positions.map { polar?.coordinates(x: $0.x, y: $0.y) ?? (longitude: .nan, latitude: .nan) }
        try file.add(
            "lat", .double, describing("latitude coordinate", standardName: "latitude", unit: "degrees_north"),
            values: places.map(\.latitude))
        try file.add(
            "lon", .double, describing("longitude coordinate", standardName: "longitude", unit: "degrees_east"),
            values: places.map(\.longitude))
        let velocities = noisyVelocities()
        for (number, axis) in ["x", "y"].enumerated() {
            try file.add(
                "V\(axis.uppercased())", .float,
                describing(
                    "Ice velocity in \(axis) direction", standardName: "land_ice_\(axis)_velocity", unit: "meter/year")
                    + [("grid_mapping", .text("coord_system")), ("coordinates", .text("lon lat"))],
                values: velocities.map { $0.map { Float($0[number]) } ?? .nan })
        }
        try file.set(attributes(conventions: "CF-1.6"))
        try file.set([
            ("id", .text(id)), ("cdm_data_type", .text("Grid")), ("spatial_resolution", .text("450m")),
        ])
        try file.finish()
    }

    /// Velocities with the requested noise [m yr⁻¹].
    private func noisyVelocities() -> [Velocity?] {
        let exact = survey.velocities().map { $0.map { $0 * Constants.secondsPerYear } }
        guard let noise else { return exact }
        let speeds = exact.compactMap { $0 }.map { ($0 * $0).sum().squareRoot() }
        let deviation = noise.percent / 100 * (speeds.mean ?? 0)
        var generator = NormalNumbers(seed: noise.seed)
        return exact.map { velocity in
            velocity.map { $0 + deviation * Velocity(generator.next(), generator.next()) }
        }
    }

    // MARK: Thickness

    private static let fill: Float = -9999

    private func writeThickness(to path: String) throws {
        let grid = survey.thicknessGrid
        let constants = survey.solved.constants
        let file = try ProductFile(
            path, on: grid, text: .text, mapping: "mapping", axes: (.int32, "meter"), namesAxis: false)
        let mapping = ("grid_mapping", Attribute.text("mapping"))
        let fill = ("_FillValue", Attribute.numbers([Double(ProductWriter.fill)]))
        try file.add(
            "mask", .int8,
            [
                ("long_name", .text("mask")), mapping, ("valid_range", .numbers([0, 4])),
                ("flag_values", .numbers([0, 1, 2, 3, 4])),
                ("flag_meanings", .text("ocean ice_free_land grounded_ice floating_ice lake_vostok")),
            ], values: survey.mask.map { Int8($0.rawValue) })
        try file.add(
            "thickness", .float,
            [fill] + describing("ice thickness", standardName: "land_ice_thickness", unit: "meters") + [mapping],
            values: zip(noisyThicknesses(), survey.mask).map { value, cover in
                value.map { Float($0) } ?? (cover == .ocean ? 0 : ProductWriter.fill)
            })
        // The real product has a surface everywhere; here only where it is needed and known.
        if let heights = survey.surfaces() {
            try file.add(
                "surface", .float,
                [fill] + describing("ice surface elevation", standardName: "surface_altitude", unit: "meters")
                    + [mapping], values: heights.map { $0.map { Float($0) } ?? ProductWriter.fill })
        }
        try file.set(attributes(conventions: "CF-1.7"))
        try file.set([
            ("version", .text("synthetic, laid out as 15-Jul-2020 (v2)")),
            ("nx", .numbers([Double(grid.columns)])),
            ("ny", .numbers([Double(grid.rows)])),
            ("Projection", .text("Polar Stereographic South (71S,0E)")),
            ("proj4", .text("+init=epsg:3031")),
            ("sea_water_density (kg m-3)", .numbers([constants.seaWaterDensity])),
            ("ice_density (kg m-3)", .numbers([constants.iceDensity])),
        ])
        try file.set(
            [("xmin", .numbers([grid.x[0]])), ("ymax", .numbers([grid.y[0]])), ("spacing", .numbers([500]))],
            numbers: .int32)
        try file.set([("no_data", .numbers([-9999]))])
        try file.finish()
    }

    /// Thicknesses with the requested noise [m].
    private func noisyThicknesses() -> [Double?] {
        let exact = survey.thicknesses()
        guard let noise else { return exact }
        let deviation = noise.percent / 100 * (exact.compactMap { $0 }.mean ?? 0)
        // A separate sequence, so that errors of velocity and thickness are independent.
        var generator = NormalNumbers(seed: ~noise.seed)
        return exact.map { thickness in thickness.map { max(1, $0 + deviation * generator.next()) } }
    }

    // MARK: Truth

    private func writeTruth(to path: String) throws {
        let file = try ProductFile(path, on: survey.velocityGrid, text: .text, mapping: "mapping")
        func add(_ name: String, _ longName: String, unit: String, _ values: [Double?]) throws {
            try file.add(
                name, .double,
                [
                    ("long_name", .text("\(longName): the true one")), ("units", .text(unit)),
                    ("grid_mapping", .text("mapping")),
                ], values: values.map { $0 ?? .nan })
        }
        let viscosities = survey.viscosities()
        try add(
            "viscosity", "effective viscosity of ice, vertically averaged", unit: "Pa s",
            viscosities.map { $0?.horizontal })
        if viscosities.contains(where: { $0?.vertical != $0?.horizontal }) {
            try add(
                "viscosity_vertical", "viscosity against stretching of the vertical", unit: "Pa s",
                viscosities.map { $0?.vertical })
        }
        if let frictions = survey.frictions() {
            try add("C2", Quantity.friction.longName, unit: Quantity.friction.unit, frictions)
        }
        try add(
            "mass_balance", Quantity.massBalance.longName, unit: Quantity.massBalance.unit,
            survey.massBalances().map { $0.map { $0 * Constants.secondsPerYear } })
        try file.set(attributes(conventions: "CF-1.7"))
        try file.finish()
    }
}
