import CNetCDF
import Fields
import Glibc

/// What can go wrong with a NetCDF file, with the evidence.
public enum NetCDFError: Failure {
    case noSuchFile(path: String)
    case notAFile(path: String, kind: String)
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
    case diskFailed(path: String, what: String)
    case notReadable(path: String, reason: String)
    case beingWritten(path: String)
    case writeFailed(path: String, what: String, reason: String)

    public var kind: FailureKind {
        switch self {
        case .noSuchFile: .missingInput
        case .writeFailed, .notReadable, .diskFailed: .inputOutput
        case .beingWritten: .heldByAnother
        default: .badData
        }
    }

    public var explanation: String {
        switch self {
        case .noSuchFile(let path) where path.isEmpty:
            "an empty path where a file is named; give its path (a variable of the shell may be unset)"
        case .noSuchFile(let path) where path.contains("://"):
            "\(path): an address, not a file; download it first, and give the path of the file"
        case .noSuchFile(let path):
            "\(path): no such file; check the path"
        case .notAFile(let path, let kind):
            "\(path): \(kind), expected a regular file; \(kind == "a folder" ? "give the path of one in it" : "save its data to one, and give the path of that")"
        case .ofOtherKind(let path, let kind):
            "\(path): not a NetCDF file but \(kind)"
        case .notNetCDF(let path, let reason):
            "\(path): not a readable NetCDF file (\(reason)); check it with 'ncdump -h', and download it again if it is damaged"
        case .truncated(let path, let bytes, let needed):
            "\(path): holds \(bytes) bytes where its header needs \(needed); the file is cut short, download it again"
        case .missingVariable(let name, let path, let present):
            "\(path): no variable \(quoted(name)); the file holds \(present.isEmpty ? "none" : present.prefix(20).map(quoted).joined(separator: ", "))"
        case .wrongShape(let variable, let path, let found, let expected):
            "\(path): variable \(quoted(variable)) has the shape (\(found.map(String.init).joined(separator: ", "))), expected \(expected)"
        case .tooLarge(let variable, let path, let shape):
            "\(path): variable \(quoted(variable)) claims the shape (\(shape.map(String.init).joined(separator: ", "))), too large to be real; the file is damaged"
        case .notContiguous(let variable, let path):
            "\(path): variable \(quoted(variable)) does not lie in one piece; the file was rewritten by another tool, make it again with pinn-ingest"
        case .damaged(let path, let reason):
            "\(path): damaged (\(reason)); make it again, or bring a good copy back"
        case .notSelfContained(let variable, let path, let reason):
            "\(path): \(quoted(variable)) is not read: \(reason); make a plain copy of what is needed, with nccopy -k nc4 or, where that fails, h5copy"
        case .noIntegrityTrailer(let path):
            "\(path): no seal at its end: not a store or checkpoint that these tools made, or damaged (cut short, never finished, or changed by another tool); make it again, or bring a good copy back"
        case .readFailed(let path, let what, let reason):
            "\(path): cannot read \(what): \(reason); the file is damaged, get it again"
        case .diskFailed(let path, let what):
            "\(path): cannot read \(what): \(String(cString: strerror(EIO))); the disk or its connection fails, copy the file to another one"
        case .notReadable(let path, let reason):
            "\(path): cannot be opened: \(reason); see who may read it with 'ls -l'"
        case .beingWritten(let path):
            "\(path): another process is writing it at this moment; wait for it, or choose another name"
        case .writeFailed(let path, let what, let reason):
            "\(finalName(path)): cannot write \(what): \(reason); nothing was left under that name that was not there before"
        }
    }
}

/// The name that a user asked for; outputs are written beside it until they are whole (AtomicFile).
private func finalName(_ path: String) -> String {
    path.hasSuffix(".partial") ? String(path.dropLast(".partial".count)) : path
}

/// libnetcdf hides the system's reason (a full disk is "HDF error", or "Permission denied"), so errno is asked first.
func reason(of status: Int32, errno code: Int32) -> String {
    let library = status > 0 ? String(cString: strerror(status)) : String(cString: nc_strerror(status))
    let telling: Set<Int32> = [ENOSPC, EDQUOT, EIO, EROFS, EFBIG, EMFILE, ENFILE]
    if telling.contains(code) { return String(cString: strerror(code)) }
    return code == EACCES && status < 0 ? String(cString: strerror(code)) : library
}
