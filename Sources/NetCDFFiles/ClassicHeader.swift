import CNetCDF
import Glibc

extension NetCDFFile {
    /// Minimum size of the header of a classic file [bytes], by the format's grammar (NetCDF User's Guide, appendix "File Format
    /// Specifications"). The values follow, so the file is at least as long as both.
    var classicHeaderBytes: Int {
        var kind: Int32 = 0
        withNetCDFLock(nc_inq_format(id, &kind))
        // Counts have 8 bytes in the 64-bit data format, offsets also in the 64-bit offset format.
        let count = kind == NC_FORMAT_CDF5 ? 8 : 4
        let offset = kind == NC_FORMAT_CLASSIC ? 4 : 8
        func padded(_ bytes: Int) -> Int { (bytes + 3) / 4 * 4 }
        func name(_ text: String) -> Int { count + padded(text.utf8.count) }
        func attributes(of variable: Int32, _ number: Int32) -> Int {
            (0..<number).reduce(4 + count) { sum, place in
                var text = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
                var type: nc_type = 0
                var length = 0
                var size = 0
                guard withNetCDFLock(nc_inq_attname(id, variable, place, &text)) == NC_NOERR,
                    withNetCDFLock(nc_inq_att(id, variable, text, &type, &length)) == NC_NOERR,
                    withNetCDFLock(nc_inq_type(id, type, nil, &size)) == NC_NOERR
                else { return sum }
                return sum + count + padded(Int(strlen(text))) + 4 + count + padded(length * size)
            }
        }
        var numbers: (dimensions: Int32, variables: Int32, attributes: Int32) = (0, 0, 0)
        guard
            withNetCDFLock(nc_inq(id, &numbers.dimensions, &numbers.variables, &numbers.attributes, nil)) == NC_NOERR
        else { return 0 }
        var bytes = 4 + count + attributes(of: NC_GLOBAL, numbers.attributes)
        bytes += 4 + count
        for number in 0..<numbers.dimensions {
            var text = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
            withNetCDFLock(nc_inq_dimname(id, number, &text))
            bytes += count + padded(Int(strlen(text))) + count
        }
        bytes += 4 + count
        for variable in variables {
            var own: Int32 = 0
            withNetCDFLock(nc_inq_varnatts(id, variable.id, &own))
            bytes += name(variable.name) + count + count * variable.dimensions.count
            bytes += attributes(of: variable.id, own) + 4 + count + offset
        }
        return bytes
    }
}
