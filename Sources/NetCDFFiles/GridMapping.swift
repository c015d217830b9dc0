import CNetCDF
import Fields

/// Variables of one value whose attributes alone matter: CF's grid mappings.
extension Variable {
    /// - Parameter text: the type of text attributes.
    public func setAttributes(
        of mapping: [(name: String, value: Projection.Value)], text type: VariableType = .text
    ) throws(NetCDFError) {
        for (name, value) in mapping {
            switch value {
            case .number(let number): try setAttribute(name, .numbers([number]))
            case .text(let text): try setAttribute(name, .text(text), as: type)
            }
        }
    }

    /// Writes zero, whatever the type: unwritten, the value would be whatever was in memory.
    public func writeZero() throws(NetCDFError) {
        precondition(dimensions.isEmpty)
        var zero: UInt64 = 0
        try file.check(withNetCDFLock(nc_put_var(file.id, id, &zero)), writing: "variable \(quoted(name))")
    }
}
