import CHDF5
import Fields
import Glibc

extension NetCDFFile {
    /// The byte range of a contiguous variable in a closed file: HDF5 places a variable when it is first written.
    public static func byteRange(of variable: String, count: Int, byteCount: Int, path: String) throws(NetCDFError)
        -> Range<Int>
    {
        errno = 0
        let offset = Int(withNetCDFLock(chdf5_contiguous_offset(path, "/" + variable)))
        guard offset >= 0 else {
            let code = errno
            guard [EIO, EMFILE, ENFILE].contains(code) else { throw .notContiguous(variable: variable, path: path) }
            throw .diskFailed(path: path, what: "variable '\(variable)'", reason: String(cString: strerror(code)))
        }
        return offset..<(offset + count * byteCount)
    }
}
