import NetCDFFiles

/// A small gridded product for a test to make, and to break before it is written.
struct GridFile {
    struct Field {
        var name: String
        var type: VariableType = .float
        /// Numbers or text; numbers have the field's own type.
        var attributes: [(name: String, value: Attribute)] = []
        /// The raw value at a position.
        var value: (_ x: Double, _ y: Double) -> Double

        subscript(attribute name: String) -> Attribute? {
            get { attributes.first { $0.name == name }?.value }
            set {
                attributes.removeAll { $0.name == name }
                if let newValue { attributes.append((name, newValue)) }
            }
        }
    }

    enum Layout { case rowsThenColumns, columnsThenRows, timeFirst }

    var x: [Double]
    var y: [Double]
    var xName = "x"
    var yName = "y"
    var axisType = VariableType.double
    var axisUnit: String? = "m"
    /// Without, the file has dimensions and no coordinates.
    var hasAxes = true
    /// What an axis holds for a metre.
    var axisFactor = 1.0
    var layout = Layout.rowsThenColumns
    /// Of a time that comes first.
    var times = 1
    var fields: [Field]
    var mapping: (name: String, attributes: [(String, Attribute)])?
    var globals: [(String, Attribute)] = []
    var chunks: [Int]?

    subscript(_ name: String) -> Field {
        get { fields.first { $0.name == name }! }
        set { fields[fields.firstIndex { $0.name == name }!] = newValue }
    }

    func write(to path: String) throws {
        let file = try NetCDFFile(creating: path)
        for (name, value) in globals { try file.setAttribute(name, value) }
        let rows = try file.define(dimension: yName, length: y.count)
        let columns = try file.define(dimension: xName, length: x.count)
        let time = layout == .timeFirst ? try file.define(dimension: "time", length: times) : nil
        let axes =
            hasAxes
            ? [
                (try file.define(variable: xName, axisType, over: [columns]), x),
                (try file.define(variable: yName, axisType, over: [rows]), y),
            ] : []
        if let axisUnit {
            for (axis, _) in axes { try axis.setAttribute("units", .text(axisUnit)) }
        }
        if let mapping {
            let variable = try file.define(variable: mapping.name, .int32, over: [])
            for (name, value) in mapping.attributes { try variable.setAttribute(name, value) }
        }
        let dimensions =
            switch layout {
            case .rowsThenColumns: [rows, columns]
            case .columnsThenRows: [columns, rows]
            case .timeFirst: [time!, rows, columns]
            }
        var variables: [Variable] = []
        for field in fields {
            let variable = try file.define(
                variable: field.name, field.type, over: dimensions,
                storage: chunks.map { .deflated(chunks: $0) } ?? .contiguous)
            for (name, value) in field.attributes {
                let isPacking = name == "scale_factor" || name == "add_offset"
                try variable.setAttribute(name, value, as: isPacking ? .double : field.type)
            }
            variables.append(variable)
        }
        try file.endDefinitions()
        for (axis, values) in axes { try axis.write(values.map { $0 * axisFactor }) }
        for (field, variable) in zip(fields, variables) {
            let values =
                layout == .columnsThenRows
                ? x.flatMap { x in y.map { y in field.value(x, y) } }
                : (0..<times).flatMap { _ in y.flatMap { y in x.map { x in field.value(x, y) } } }
            if field.type == .text { continue }
            if field.type == .int8 {
                try variable.write(values.map { Int8($0) })
            } else {
                try variable.write(values)
            }
        }
        try file.close()
    }
}
