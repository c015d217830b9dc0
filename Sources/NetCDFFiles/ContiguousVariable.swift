import CHDF5
import Fields

extension NetCDFFile {
    /// Where the bytes of a contiguous variable lie in its file. Asked after the file was closed, or of a file opened for
    /// reading: HDF5 places a variable when it is first written.
    public static func byteRange(of variable: String, count: Int, byteCount: Int, path: String) throws(NetCDFError)
        -> Range<Int>
    {
        let offset = Int(withNetCDFLock(chdf5_contiguous_offset(path, "/" + variable)))
        guard offset >= 0 else { throw .notContiguous(variable: variable, path: path) }
        return offset..<(offset + count * byteCount)
    }
}
