import CNetCDF
import Fields
import Glibc

/// Errors of NetCDF files, with the evidence and the wording.
public enum NetCDFError: Failure {
    case noSuchFile(path: String)
    case notAFile(path: String, kind: String)
    case backslash(path: String)
    case ofOtherKind(path: String, kind: String)
    case notNetCDF(path: String, reason: String)
    case truncated(path: String, bytes: Int, needed: Int)
    case missingVariable(String, path: String, present: [String])
    case wrongShape(variable: String, path: String, found: [Int], expected: String)
    case tooLarge(variable: String, path: String, shape: [Int])
    case notContiguous(variable: String, path: String)
    case damaged(path: String, reason: String)
    case notSelfContained(variable: String, path: String, reason: String)
    case noIntegrityTrailer(path: String)
    case readFailed(path: String, what: String, reason: String)
    case diskFailed(path: String, what: String, reason: String = String(cString: strerror(EIO)))
    case notReadable(path: String, reason: String)
    case beingWritten(path: String)
    case writeFailed(path: String, what: String, reason: String)
    case notDurable(path: String, reason: String)

    public var kind: FailureKind {
        switch self {
        case .noSuchFile: .missingInput
        case .backslash: .usage
        case .writeFailed, .notReadable, .diskFailed, .notDurable: .inputOutput
        case .beingWritten: .heldByAnother
        default: .badData
        }
    }

    public var explanation: String {
        switch self {
        case .noSuchFile(let path) where path.isEmpty:
            "an empty path in place of a file; give its path (a shell variable may be unset)"
        case .noSuchFile(let path) where path.contains("://"):
            "\(path): an address, not a file; download it first, and give the path of the file"
        case .noSuchFile(let path):
            "\(path): no such file; check the path"
        case .notAFile(let path, let kind):
            "\(path): \(kind), expected a regular file; \(kind == "a folder" ? "give the path of a file in it" : "save its data to a file, and give its path")"
        case .backslash(let path):
            "\(PartialName.output(of: path) ?? path): has a backslash in its path, which the NetCDF library takes for the end of a folder's name; rename it"
        case .ofOtherKind(let path, let kind):
            "\(path): not a NetCDF file but \(kind)"
        case .notNetCDF(let path, let reason):
            "\(path): not a readable NetCDF file (\(reason)); check it with 'ncdump -h', and download it again if it is damaged"
        case .truncated(let path, let bytes, let needed):
            "\(path): has \(bytes) bytes, but its header needs \(needed); the file is truncated, download it again"
        case .missingVariable(let name, let path, let present):
            "\(path): no variable \(quoted(name)); the file has \(present.isEmpty ? "none" : present.prefix(20).map(quoted).joined(separator: ", "))"
        case .wrongShape(let variable, let path, let found, let expected):
            "\(path): variable \(quoted(variable)) has the shape (\(found.map(String.init).joined(separator: ", "))), expected \(expected)"
        case .tooLarge(let variable, let path, let shape):
            "\(path): variable \(quoted(variable)) claims the shape (\(shape.map(String.init).joined(separator: ", "))), too large to be real; the file is damaged"
        case .notContiguous(let variable, let path):
            "\(path): variable \(quoted(variable)) is not contiguous; the file was rewritten by another tool, make it again with pinn-ingest"
        case .damaged(let path, let reason):
            "\(path): damaged (\(reason)); make it again, or restore a good copy"
        case .notSelfContained(let variable, let path, let reason):
            "\(path): \(quoted(variable)) is not read: \(reason); make a plain copy of what is needed, with nccopy -k nc4 or, if that fails, h5copy"
        case .noIntegrityTrailer(let path):
            "\(path): no integrity trailer: not a store or checkpoint of these tools, or damaged (truncated, unfinished, or changed by another tool); make it again, or restore a good copy"
        case .readFailed(let path, let what, let reason):
            "\(path): cannot read \(what): \(reason); the file is damaged, get it again"
        case .diskFailed(let path, let what, let reason):
            "\(path): cannot read \(what): \(reason); the disk or its connection is failing, copy the file to another disk"
        case .notReadable(let path, let reason):
            "\(path): cannot be opened: \(reason); check its permissions with 'ls -l'"
        case .beingWritten(let path):
            "\(path): another process is writing it; wait for it, or choose another name"
        case .writeFailed(let path, let what, let reason):
            "\(PartialName.output(of: path) ?? path): cannot write \(what): \(reason); what had that name before is unchanged"
        case .notDurable(let path, let reason):
            "\(path): is complete, but its folder cannot be synchronised to the disk (\(reason)), so a power cut may still lose it; check the disk, and run 'sync'"
        }
    }
}

/// The reason for a failure. libnetcdf hides the system's (a full disk is "HDF error" or "Permission denied"), so errno comes first.
func reason(of status: Int32, errno code: Int32) -> String {
    let library = status > 0 ? String(cString: strerror(status)) : String(cString: nc_strerror(status))
    let telling: Set<Int32> = [ENOSPC, EDQUOT, EIO, EROFS, EFBIG, EMFILE, ENFILE]
    if telling.contains(code) { return String(cString: strerror(code)) }
    return code == EACCES && status < 0 ? String(cString: strerror(code)) : library
}
