import Fields
import NetCDFFiles
import PointStore

/// The variables of one grid in a prediction: axes, projection, mask, fields and misfits, named and described by CF.
struct GridLayout {
    let target: TargetGrid
    /// Sets whose observations lie on this grid.
    let observedSets: [PointSet]
    private let axes: [(Variable, [Double])]
    private let mapping: Variable?
    private let mask: Variable
    private let variables: [String: Variable]

    init(
        _ target: TargetGrid, in file: NetCDFFile, _ prediction: Prediction, chunk: [Int], fill: Float
    ) throws {
        let description = prediction.store.description
        self.target = target
        observedSets =
            target.hasObservations ? description.sets(on: target.name) : []

        let y = try file.define(dimension: "y", length: target.grid.rows)
        let x = try file.define(dimension: "x", length: target.grid.columns)
        axes = try [("y", y, target.grid.y), ("x", x, target.grid.x)].map { name, dimension, values in
            let axis = try file.define(variable: name, .double, over: [dimension])
            try axis.setAttribute("standard_name", .text("projection_\(name)_coordinate"))
            try axis.setAttribute("long_name", .text("\(name) coordinate of projection"))
            try axis.setAttribute("units", .text("m"))
            try axis.setAttribute("axis", .text(name.uppercased()))
            return (axis, values)
        }
        let mapping = try target.grid.projection.map { projection in
            let variable = try file.define(variable: "crs", .int32, over: [])
            for (name, value) in projection.cfAttributes {
                switch value {
                case .number(let number): try variable.setAttribute(name, .numbers([number]))
                case .text(let text): try variable.setAttribute(name, .text(text))
                }
            }
            return variable
        }
        self.mapping = mapping
        func define(_ name: String, _ type: VariableType, longName: String, standardName: String?, units: String?)
            throws -> Variable
        {
            let variable = try file.define(
                variable: name, type, over: [y, x], storage: .deflated(chunks: chunk))
            try variable.setAttribute("long_name", .text(longName))
            if let standardName { try variable.setAttribute("standard_name", .text(standardName)) }
            if let units { try variable.setAttribute("units", .text(units)) }
            if let mapping { try variable.setAttribute("grid_mapping", .text(mapping.name)) }
            if type == .float { try variable.setAttribute("_FillValue", .numbers([Double(fill)]), as: .float) }
            return variable
        }
        var variables: [String: Variable] = [:]
        for field in prediction.fields {
            let variable = try define(
                field.name, .float, longName: field.longName, standardName: field.standardName, units: field.units)
            variables[field.name] = variable
            guard prediction.memberCount > 1 else { continue }
            // Without the standard name: with CF's modifier for it, standard_error, the spread would claim to be all of the
            // uncertainty.
            variables[field.deviationName] = try define(
                field.deviationName, .float, longName: "standard deviation over the ensemble of \(field.longName)",
                standardName: nil, units: field.units)
            try variable.setAttribute("ancillary_variables", .text(field.deviationName))
        }
        for column in observedSets.flatMap({ ObservedCells.columns(of: $0) }) where variables[column.rawValue] != nil {
            let name = "misfit_\(column.rawValue)"
            variables[name] = try define(
                name, .float, longName: "predicted minus observed \(column.longName)", standardName: nil,
                units: column.unit)
        }
        self.variables = variables
        mask = try define("mask", .int8, longName: "cover of the cell", standardName: nil, units: nil)
        try mask.setAttribute("flag_values", .numbers(IceMask.allCases.map { Double($0.rawValue) }), as: .int8)
        try mask.setAttribute("flag_meanings", .text(IceMask.flagMeanings))
    }

    /// The axes, and a value for the projection variable: only its attributes matter, but unwritten it would be uninitialized.
    func writeAxes() throws {
        for (axis, values) in axes { try axis.write(values) }
        try mapping?.write([Int32(0)])
    }

    /// Writes rows of all variables and of the mask.
    func write(_ bands: [String: [Float]], mask codes: [UInt8], rows: Range<Int>) throws {
        let columns = target.grid.columns
        let start = [rows.lowerBound, 0]
        let count = [rows.count, columns]
        for (name, variable) in variables.sorted(by: { $0.key < $1.key }) {
            guard let band = bands[name] else { continue }
            try variable.write(band, start: start, count: count)
        }
        try mask.write(codes.map { Int8(bitPattern: $0) }, start: start, count: count)
    }
}
