import Fields
import NetCDFFiles
import PointStore

/// The variables of one grid in a prediction: axes, projection, mask, fields and misfits, named and described by CF.
struct GridLayout {
    let target: TargetGrid
    /// Sets whose observations lie on this grid.
    let observedSets: [PointSet]
    private let axes: [(variable: Variable, values: [Double])]
    private let mapping: Variable?
    private let mask: Variable
    private let variables: [String: Variable]
    /// Variables of bytes among them.
    private let flags: Set<String>

    /// NC_FILL_FLOAT, which tools treat as missing.
    static let fill: Float = 9.969_209_968_386_869e36
    private static let flagFill: Int8 = -1
    private static let flagComment =
        "0 where the standard deviation is more than half of what it would be without data and equations, or of a positive field more than half of the field: there the value says little"

    init(_ target: TargetGrid, in file: NetCDFFile, _ prediction: Prediction, chunk: [Int]) throws {
        let grid = target.grid
        let y = try file.define(dimension: "y", length: grid.rows)
        let x = try file.define(dimension: "x", length: grid.columns)
        let axes = try [(y, grid.y), (x, grid.x)].map { dimension, values in
            let name = dimension.name
            let axis = try file.define(variable: name, .double, over: [dimension])
            try axis.setAttribute("standard_name", .text("projection_\(name)_coordinate"))
            try axis.setAttribute("long_name", .text("\(name) coordinate of projection"))
            try axis.setAttribute("units", .text("m"))
            try axis.setAttribute("axis", .text(name.uppercased()))
            return (axis, values)
        }
        let mapping = try grid.projection.map { projection in
            let variable = try file.define(variable: "crs", .int32, over: [])
            try variable.setAttributes(of: projection.cfAttributes)
            return variable
        }
        func define(
            _ name: String, _ type: VariableType = .float, longName: String, standardName: String? = nil,
            units: String? = nil
        ) throws -> Variable {
            let variable = try file.define(variable: name, type, over: [y, x], storage: .deflated(chunks: chunk))
            try variable.setAttribute("long_name", .text(longName))
            if let standardName { try variable.setAttribute("standard_name", .text(standardName)) }
            if let units { try variable.setAttribute("units", .text(units)) }
            if let mapping { try variable.setAttribute("grid_mapping", .text(mapping.name)) }
            if type == .float {
                try variable.setAttribute("_FillValue", .numbers([Double(GridLayout.fill)]), as: .float)
            }
            return variable
        }
        var variables: [String: Variable] = [:]
        for field in prediction.fields {
            let variable = try define(
                field.name, longName: field.longName, standardName: field.standardName, units: field.units)
            variables[field.name] = variable
            guard prediction.hasDeviations else { continue }
            // Without the standard name: with CF's modifier for it, standard_error, the spread would claim to be all of the
            // uncertainty.
            let kind = prediction.memberCount > 1 ? "standard deviation over the ensemble" : "standard deviation"
            variables[field.deviationName] = try define(
                field.deviationName, longName: "\(kind) of \(field.longName)", units: field.units)
            let isFlagged = prediction.flaggedFields.contains { $0.name == field.name }
            try variable.setAttribute(
                "ancillary_variables", .text(field.deviationName + (isFlagged ? " \(field.flagName)" : "")))
        }
        for field in prediction.flaggedFields {
            let flag = try define(
                field.flagName, .int8, longName: "whether data and equations determine \(field.longName)")
            try flag.setAttribute("_FillValue", .numbers([Double(GridLayout.flagFill)]), as: .int8)
            try flag.setAttribute("flag_values", .numbers([0, 1]), as: .int8)
            try flag.setAttribute("flag_meanings", .text("not_determined determined"))
            try flag.setAttribute("comment", .text(GridLayout.flagComment))
            variables[field.flagName] = flag
        }
        flags = Set(prediction.flaggedFields.map(\.flagName))
        observedSets = target.hasObservations ? prediction.store.description.sets(on: target.name) : []
        for column in observedSets.flatMap(\.observedColumns) where variables[column.rawValue] != nil {
            variables[column.misfitName] = try define(
                column.misfitName, longName: "predicted minus observed \(column.longName)", units: column.unit)
        }
        mask = try define("mask", .int8, longName: "cover of the cell")
        try mask.setAttribute("flag_values", .numbers(IceMask.allCases.map { Double($0.rawValue) }), as: .int8)
        try mask.setAttribute("flag_meanings", .text(IceMask.flagMeanings))
        (self.target, self.axes, self.mapping, self.variables) = (target, axes, mapping, variables)
    }

    func writeAxes() throws {
        for axis in axes { try axis.variable.write(axis.values) }
        try mapping?.writeZero()
    }

    /// Writes rows of all variables and of the mask.
    func write(_ bands: [String: [Float]], mask codes: [UInt8], rows: Range<Int>) throws {
        let (start, count) = ([rows.lowerBound, 0], [rows.count, target.grid.columns])
        for (name, variable) in variables.sorted(by: { $0.key < $1.key }) {
            guard let band = bands[name] else { continue }
            if flags.contains(name) {
                let codes = band.map { $0 == GridLayout.fill ? GridLayout.flagFill : Int8($0) }
                try variable.write(codes, start: start, count: count)
            } else {
                try variable.write(band, start: start, count: count)
            }
        }
        try mask.write(codes.map { Int8(bitPattern: $0) }, start: start, count: count)
    }
}
