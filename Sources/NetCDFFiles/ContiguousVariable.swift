import CHDF5
import Fields

extension NetCDFFile {
    /// The byte range of a contiguous variable in a closed file: HDF5 places a variable when it is first written.
    public static func byteRange(of variable: String, count: Int, byteCount: Int, path: String) throws(NetCDFError)
        -> Range<Int>
    {
        let offset = Int(withNetCDFLock(chdf5_contiguous_offset(path, "/" + variable)))
        guard offset >= 0 else { throw .notContiguous(variable: variable, path: path) }
        return offset..<(offset + count * byteCount)
    }
}
