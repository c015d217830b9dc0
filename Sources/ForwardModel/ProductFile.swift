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

/// A file that is being made of one value per cell of a grid: its variables are defined one by one with their values, which are written
/// when all are defined.
final class ProductFile {
    private let pending: AtomicFile
    private let file: NetCDFFile
    private let grid: Grid
    /// The type of all text attributes: NC_STRING in MEaSUREs, NC_CHAR in BedMachine.
    private let text: VariableType
    private let dimensions: [Dimension]
    private var writes: [() throws -> Void] = []

    /// Defines dimensions, grid mapping and coordinates.
    ///
    /// - Parameters:
    ///   - axes: the type and the unit of the coordinates.
    ///   - namesAxis: whether the coordinates have the attribute `axis`.
    init(
        _ path: String, on grid: Grid, text: VariableType, mapping name: String,
        _ projection: [(name: String, value: Projection.Value)] = Projection.antarctic.attributes,
        axes: (type: VariableType, unit: String) = (.double, "m"), namesAxis: Bool = true
    ) throws {
        pending = try AtomicFile(replacing: path)
        file = try NetCDFFile(creating: pending.temporaryPath)
        (self.grid, self.text) = (grid, text)
        let y = try file.define(dimension: "y", length: grid.rows)
        let x = try file.define(dimension: "x", length: grid.columns)
        dimensions = [y, x]
        let mapping = try file.define(variable: name, .text, over: [])
        try mapping.setAttributes(of: projection, text: text)
        writes.append { try mapping.writeZero() }
        for (dimension, values) in [(x, grid.x), (y, grid.y)] {
            let name = dimension.name
            let axis = try file.define(variable: name, axes.type, over: [dimension])
            var attributes = describing(
                "Cartesian \(name)-coordinate", standardName: "projection_\(name)_coordinate", unit: axes.unit)
            if namesAxis { attributes.append(("axis", .text(name.uppercased()))) }
            try set(attributes, of: axis)
            writes.append { try axis.write(values) }
        }
    }

    typealias Attributes = [(name: String, value: Attribute)]

    /// Defines a variable. Numbers among its attributes are of its own type, as CF asks.
    func add<Value: NetCDFValue>(
        _ name: String, _ type: VariableType, _ attributes: Attributes, values: [Value]
    ) throws {
        let variable = try file.define(
            variable: name, type, over: dimensions, storage: .deflated(chunks: [grid.rows, grid.columns]))
        try set(attributes, of: variable)
        writes.append { try variable.write(values) }
    }

    private func set(_ attributes: Attributes, of variable: Variable) throws {
        for (name, value) in attributes {
            try variable.setAttribute(name, value, as: value.text == nil ? variable.type : text)
        }
    }

    /// Sets global attributes.
    func set(_ attributes: Attributes, numbers: VariableType = .double) throws {
        for (name, value) in attributes { try file.setAttribute(name, value, as: value.text == nil ? numbers : text) }
    }

    /// Writes all values and gives the file its name.
    func finish() throws {
        try file.endDefinitions()
        for write in writes { try write() }
        try file.close()
        try pending.commit()
    }
}

/// The attributes of a variable that CF knows.
func describing(_ longName: String, standardName: String, unit: String) -> ProductFile.Attributes {
    [("long_name", .text(longName)), ("standard_name", .text(standardName)), ("units", .text(unit))]
}
