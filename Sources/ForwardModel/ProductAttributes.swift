import Fields
import MapProjections
import NetCDFFiles

extension Projection {
    /// EPSG:3031 as the products state it: WGS 84, true to scale at 71° S, longitude 0 up.
    package static let antarctic = Projection(attributes: [
        ("grid_mapping_name", .text("polar_stereographic")), ("latitude_of_projection_origin", .number(-90)),
        ("standard_parallel", .number(-71)), ("straight_vertical_longitude_from_pole", .number(0)),
        ("false_easting", .number(0)), ("false_northing", .number(0)),
    ])
}

/// Attributes common to the three files, and further ones of BedMachine.
extension ProductWriter {
    func setGlobals(of file: NetCDFFile, conventions: String, text: VariableType) throws(NetCDFError) {
        let shelf = survey.solved.shelf
        try file.setAttribute("Conventions", .text(conventions), as: text)
        try file.setAttribute("title", .text(shelf.title), as: text)
        try file.setAttribute("source", .text(source), as: text)
        try file.setAttribute("software", .text(Version.text), as: text)
        try file.setAttribute("comment", .text(shelf.description), as: text)
        try file.setAttribute("license", .text("CC0-1.0; synthetic, no measurement of any place"), as: text)
        let constants = survey.solved.constants
        try file.setAttribute("ice_density", .numbers([constants.iceDensity]))
        try file.setAttribute("sea_water_density", .numbers([constants.seaWaterDensity]))
        try file.setAttribute("gravity", .numbers([constants.gravity]))
        try file.setAttribute("seconds_per_year", .numbers([Constants.secondsPerYear]))
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

    func setBedMachineGlobals(of file: NetCDFFile) throws(NetCDFError) {
        let grid = survey.thicknessGrid
        let constants = survey.solved.constants
        try file.setAttribute("version", .text("synthetic, laid out as 15-Jul-2020 (v2)"))
        try file.setAttribute("nx", .numbers([Double(grid.columns)]))
        try file.setAttribute("ny", .numbers([Double(grid.rows)]))
        try file.setAttribute("Projection", .text("Polar Stereographic South (71S,0E)"))
        try file.setAttribute("proj4", .text("+init=epsg:3031"))
        try file.setAttribute("sea_water_density (kg m-3)", .numbers([constants.seaWaterDensity]))
        try file.setAttribute("ice_density (kg m-3)", .numbers([constants.iceDensity]))
        try file.setAttribute("xmin", .numbers([grid.x[0]]), as: .int32)
        try file.setAttribute("ymax", .numbers([grid.y[0]]), as: .int32)
        try file.setAttribute("spacing", .numbers([500]), as: .int32)
        try file.setAttribute("no_data", .numbers([-9999]))
    }
}

extension Variable {
    func describe(_ longName: String, standardName: String, unit: String, text: VariableType) throws(NetCDFError) {
        try setAttribute("long_name", .text(longName), as: text)
        try setAttribute("standard_name", .text(standardName), as: text)
        try setAttribute("units", .text(unit), as: text)
    }

    func setGridMapping(_ projection: Projection, text: VariableType) throws(NetCDFError) {
        for (name, value) in projection.attributes {
            switch value {
            case .number(let number): try setAttribute(name, .numbers([number]))
            case .text(let words): try setAttribute(name, .text(words), as: text)
            }
        }
    }
}

extension NetCDFFile {
    /// Defines the coordinate variables x and y; BedMachine leaves out their attribute `axis`.
    func defineAxes(
        _ x: Dimension, _ y: Dimension, type: VariableType, unit: String, text: VariableType, namesAxis: Bool
    ) throws(NetCDFError) -> (x: Variable, y: Variable) {
        var axes: [Variable] = []
        for dimension in [x, y] {
            let name = dimension.name
            let axis = try define(variable: name, type, over: [dimension])
            try axis.describe(
                "Cartesian \(name)-coordinate", standardName: "projection_\(name)_coordinate", unit: unit, text: text)
            if namesAxis { try axis.setAttribute("axis", .text(name.uppercased()), as: text) }
            axes.append(axis)
        }
        return (axes[0], axes[1])
    }
}
