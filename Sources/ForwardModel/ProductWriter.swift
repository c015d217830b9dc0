import Fields
import Glibc
import MapProjections
import NetCDFFiles

/// Writes a solved shelf as three files: velocity in the layout of MEaSUREs (NSIDC-0754), thickness and mask in that of BedMachine
/// Antarctica (NSIDC-0756), and the true viscosity, which is for scoring and never an input.
public struct ProductWriter {
    public let survey: ShelfSurvey
    public let noise: Noise?

    /// Normally distributed errors of the data, relative to the shelf's mean speed and mean thickness, independent for
    /// each cell.
    public struct Noise: Sendable, Equatable {
        public var percent: Double
        public var seed: UInt64

        public init(percent: Double, seed: UInt64) {
            self.percent = percent
            self.seed = seed
        }
    }

    public init(_ survey: ShelfSurvey, noise: Noise? = nil) {
        self.survey = survey
        self.noise = noise
    }

    /// Names of the files that `write` makes.
    private static func paths(folder: String, name: String) -> (velocity: String, thickness: String, truth: String) {
        let stem = folder.isEmpty ? name : "\(folder)/\(name)"
        return ("\(stem)_velocity_measures.nc", "\(stem)_bedmachine_v2.nc", "\(stem)_truth.nc")
    }

    /// Throws if a file exists that pinn-sample did not write: real products may have the same names.
    public static func requireReplaceable(folder: String, name: String) throws {
        let paths = paths(folder: folder, name: name)
        for path in [paths.velocity, paths.thickness, paths.truth] where access(path, F_OK) == 0 {
            guard try NetCDFFile.says("source", beginningWith: "pinn-sample ", path: path) else {
                throw ForwardModelError.notReplaced(path: path)
            }
        }
    }

    /// Writes NAME_velocity_measures.nc, NAME_bedmachine_v2.nc and NAME_truth.nc, each atomically, and returns
    /// their paths.
    public func write(folder: String, name: String) throws(NetCDFError) -> [String] {
        let (velocity, thickness, truth) = ProductWriter.paths(folder: folder, name: name)
        try create(velocity) { file throws(NetCDFError) in
            try writeVelocity(to: file, id: "\(name)_velocity_measures.nc")
        }
        try create(thickness) { file throws(NetCDFError) in try writeThickness(to: file) }
        try create(truth) { file throws(NetCDFError) in try writeTruth(to: file) }
        return [velocity, thickness, truth]
    }

    private func create(_ path: String, _ body: (NetCDFFile) throws(NetCDFError) -> Void) throws(NetCDFError) {
        let pending = try AtomicFile(replacing: path)
        do throws(NetCDFError) {
            let file = try NetCDFFile(creating: pending.temporaryPath)
            try body(file)
            try file.close()
        } catch {
            pending.discard()
            throw error
        }
        try pending.commit()
    }

    // MARK: Velocity

    private func writeVelocity(to file: NetCDFFile, id: String) throws(NetCDFError) {
        let grid = survey.velocityGrid
        // All text attributes of the product are NC_STRING.
        let text = VariableType.string
        let y = try file.define(dimension: "y", length: grid.rows)
        let x = try file.define(dimension: "x", length: grid.columns)
        let mapping = try file.define(variable: "coord_system", .text, over: [])
        try mapping.setAttribute("ellipsoid", .text("WGS84"), as: text)
        try mapping.setGridMapping(.antarctic, text: text)
        try mapping.setAttribute("longitude_of_projection_origin", .numbers([0]))
        let axes = try file.defineAxes(x, y, type: .double, unit: "m", text: text, namesAxis: true)

        let storage = NetCDFFile.Storage.deflated(chunks: [grid.rows, grid.columns])
        let latitude = try file.define(variable: "lat", .double, over: [y, x], storage: storage)
        try latitude.describe("latitude coordinate", standardName: "latitude", unit: "degrees_north", text: text)
        let longitude = try file.define(variable: "lon", .double, over: [y, x], storage: storage)
        try longitude.describe("longitude coordinate", standardName: "longitude", unit: "degrees_east", text: text)
        var components: [Variable] = []
        for axis in ["x", "y"] {
            let component = try file.define(variable: "V\(axis.uppercased())", .float, over: [y, x], storage: storage)
            try component.describe(
                "Ice velocity in \(axis) direction", standardName: "land_ice_\(axis)_velocity", unit: "meter/year",
                text: text)
            try component.setAttribute("grid_mapping", .text("coord_system"), as: text)
            try component.setAttribute("coordinates", .text("lon lat"), as: text)
            components.append(component)
        }
        try setGlobals(of: file, conventions: "CF-1.6", text: text)
        try file.setAttribute("id", .text(id), as: text)
        try file.setAttribute("cdm_data_type", .text("Grid"), as: text)
        try file.setAttribute("spatial_resolution", .text("450m"), as: text)

        try file.endDefinitions()
        try axes.x.write(grid.x)
        try axes.y.write(grid.y)
        let polar = PolarProjection(.antarctic)
        let places = grid.positions.map { polar?.coordinates(x: $0.x, y: $0.y) ?? (longitude: .nan, latitude: .nan) }
        try latitude.write(places.map(\.latitude))
        try longitude.write(places.map(\.longitude))
        let velocities = noisyVelocities()
        for (number, component) in components.enumerated() {
            try component.write(velocities.map { $0.map { Float($0[number]) } ?? .nan })
        }
    }

    /// Velocities with the requested noise [m yr⁻¹].
    private func noisyVelocities() -> [Velocity?] {
        let exact = survey.velocities().map { $0.map { $0 * Constants.secondsPerYear } }
        guard let noise else { return exact }
        let speeds = exact.compactMap { $0 }.map { ($0 * $0).sum().squareRoot() }
        let deviation = noise.percent / 100 * speeds.reduce(0, +) / Double(max(speeds.count, 1))
        var generator = NormalNumbers(seed: noise.seed)
        return exact.map { velocity in
            velocity.map { $0 + deviation * Velocity(generator.next(), generator.next()) }
        }
    }

    // MARK: Thickness

    private static let fill: Float = -9999

    private func writeThickness(to file: NetCDFFile) throws(NetCDFError) {
        let grid = survey.thicknessGrid
        let text = VariableType.text
        let y = try file.define(dimension: "y", length: grid.rows)
        let x = try file.define(dimension: "x", length: grid.columns)
        let mapping = try file.define(variable: "mapping", .text, over: [])
        try mapping.setGridMapping(.antarctic, text: text)
        let axes = try file.defineAxes(x, y, type: .int32, unit: "meter", text: text, namesAxis: false)

        let storage = NetCDFFile.Storage.deflated(chunks: [grid.rows, grid.columns])
        let mask = try file.define(variable: "mask", .int8, over: [y, x], storage: storage)
        try mask.setAttribute("long_name", .text("mask"))
        try mask.setAttribute("grid_mapping", .text("mapping"))
        try mask.setAttribute("valid_range", .numbers([0, 4]), as: .int8)
        try mask.setAttribute("flag_values", .numbers([0, 1, 2, 3, 4]), as: .int8)
        try mask.setAttribute("flag_meanings", .text("ocean ice_free_land grounded_ice floating_ice lake_vostok"))
        let thickness = try file.define(variable: "thickness", .float, over: [y, x], storage: storage)
        try thickness.setAttribute("_FillValue", .numbers([Double(ProductWriter.fill)]), as: .float)
        try thickness.describe("ice thickness", standardName: "land_ice_thickness", unit: "meters", text: text)
        try thickness.setAttribute("grid_mapping", .text("mapping"))
        // The real product has a surface everywhere; here only where it is needed and known.
        let heights = survey.surfaces()
        var surface: Variable?
        if heights != nil {
            surface = try file.define(variable: "surface", .float, over: [y, x], storage: storage)
            try surface?.setAttribute("_FillValue", .numbers([Double(ProductWriter.fill)]), as: .float)
            try surface?.describe(
                "ice surface elevation", standardName: "surface_altitude", unit: "meters", text: text)
            try surface?.setAttribute("grid_mapping", .text("mapping"))
        }
        try setGlobals(of: file, conventions: "CF-1.7", text: text)
        try setBedMachineGlobals(of: file)

        try file.endDefinitions()
        try axes.x.write(grid.x.map { Int32($0) })
        try axes.y.write(grid.y.map { Int32($0) })
        try mask.write(survey.mask.map { Int8($0.rawValue) })
        try thickness.write(
            zip(noisyThicknesses(), survey.mask).map { value, cover in
                value.map { Float($0) } ?? (cover == .ocean ? 0 : ProductWriter.fill)
            })
        try surface?.write((heights ?? []).map { $0.map { Float($0) } ?? ProductWriter.fill })
    }

    /// Thicknesses with the requested noise [m].
    private func noisyThicknesses() -> [Double?] {
        let exact = survey.thicknesses()
        guard let noise else { return exact }
        let known = exact.compactMap { $0 }
        let deviation = noise.percent / 100 * known.reduce(0, +) / Double(max(known.count, 1))
        // A separate sequence, so that errors of velocity and thickness are independent.
        var generator = NormalNumbers(seed: ~noise.seed)
        return exact.map { thickness in thickness.map { max(1, $0 + deviation * generator.next()) } }
    }

    // MARK: Truth

    private func writeTruth(to file: NetCDFFile) throws(NetCDFError) {
        let grid = survey.velocityGrid
        let text = VariableType.text
        let y = try file.define(dimension: "y", length: grid.rows)
        let x = try file.define(dimension: "x", length: grid.columns)
        let mapping = try file.define(variable: "mapping", .text, over: [])
        try mapping.setGridMapping(.antarctic, text: text)
        let axes = try file.defineAxes(x, y, type: .double, unit: "m", text: text, namesAxis: true)
        let storage = NetCDFFile.Storage.deflated(chunks: [grid.rows, grid.columns])
        func define(_ name: String, _ longName: String, unit: String) throws(NetCDFError) -> Variable {
            let variable = try file.define(variable: name, .double, over: [y, x], storage: storage)
            try variable.setAttribute("long_name", .text("\(longName): the true one"))
            try variable.setAttribute("units", .text(unit))
            try variable.setAttribute("grid_mapping", .text("mapping"))
            return variable
        }
        let values = survey.viscosities()
        var fields = [
            (
                try define("viscosity", "effective viscosity of ice, vertically averaged", unit: "Pa s"),
                values.map { $0?.horizontal }
            )
        ]
        if values.contains(where: { $0.map { $0.vertical != $0.horizontal } ?? false }) {
            fields.append(
                (
                    try define("viscosity_vertical", "viscosity against stretching of the vertical", unit: "Pa s"),
                    values.map { $0?.vertical }
                ))
        }
        if let frictions = survey.frictions() {
            fields.append((try define("C2", Quantity.friction.longName, unit: Quantity.friction.unit), frictions))
        }
        fields.append(
            (
                try define("mass_balance", Quantity.massBalance.longName, unit: Quantity.massBalance.unit),
                survey.massBalances().map { $0.map { $0 * Constants.secondsPerYear } }
            ))
        try setGlobals(of: file, conventions: "CF-1.7", text: text)

        try file.endDefinitions()
        try axes.x.write(grid.x)
        try axes.y.write(grid.y)
        for (variable, values) in fields { try variable.write(values.map { $0 ?? .nan }) }
    }
}
