import CNetCDF
import Fields
import Glibc

/// An open NetCDF file, closed with its last reference. Not Sendable, because neither netCDF-C nor HDF5 is thread-safe.
public final class NetCDFFile {
    public let path: String
    let id: Int32
    private var isOpen = true
    /// The file of a group, kept open while the group is in use.
    private let parent: NetCDFFile?

    /// More than any hyperslab of a product, store or prediction has (64 GB of doubles).
    static let maxValuesAtOnce = 1 << 33

    /// Opens a file of any NetCDF format, or a plain HDF5 file.
    public init(reading path: String) throws(NetCDFError) {
        let bytes = try regularFileBytes(path)
        guard !path.contains("\\") else { throw .backslash(path: path) }
        var id: Int32 = 0
        LibraryCrash.concerns(reading: path)
        try requireSelfContained(path)
        errno = 0
        let status = withNetCDFLock(nc_open(pathForLibrary(path), NC_NOWRITE, &id))
        guard status == NC_NOERR else {
            if errno == EIO { throw .diskFailed(path: path, what: "the header") }
            if [EMFILE, ENFILE].contains(errno) || [EMFILE, ENFILE].contains(status) {
                throw .notReadable(path: path, reason: reason(of: status, errno: errno))
            }
            if let kind = FileKind.notNetCDF(path) { throw .ofOtherKind(path: path, kind: kind) }
            throw errno == EACCES
                ? .notReadable(path: path, reason: String(cString: strerror(EACCES)))
                : .notNetCDF(path: path, reason: Fields.quoted(String(cString: nc_strerror(status))))
        }
        self.path = path
        self.id = id
        parent = nil
        try checkClassicLength(of: bytes)
    }

    /// Creates a NetCDF-4 file whose contiguous variables begin at multiples of 4096 bytes, so that they can be mapped.
    /// Use an `AtomicFile`'s temporary path, so that the file appears under its name only when complete.
    public init(creating path: String) throws(NetCDFError) {
        guard !path.contains("\\") else { throw .backslash(path: path) }
        var id: Int32 = 0
        errno = 0
        LibraryCrash.concerns(writing: path)
        _ = withNetCDFLock(nc_set_alignment(4096, 4096))
        let status = withNetCDFLock(nc_create(pathForLibrary(path), NC_NETCDF4 | NC_CLOBBER, &id))
        guard status == NC_NOERR else {
            throw .writeFailed(path: path, what: "the file", reason: reason(of: status, errno: errno))
        }
        self.path = path
        self.id = id
        parent = nil
        var previous: Int32 = 0
        withNetCDFLock(nc_set_fill(id, NC_NOFILL, &previous))
    }

    /// Closes a written file and flushes the library's buffers.
    public func close() throws(NetCDFError) {
        guard isOpen else { return }
        isOpen = false
        errno = 0
        try check(withNetCDFLock(nc_close(id)), writing: "the end of the file")
    }

    deinit {
        if isOpen { withNetCDFLock(nc_close(id)) }
    }

    /// A group of an open file, closed with it; otherwise used like a file.
    private init(group id: Int32, of parent: NetCDFFile) {
        path = parent.path
        self.id = id
        self.parent = parent
        isOpen = false
    }

    // MARK: content

    /// The group with a name; nil where there is none.
    public func group(_ name: String) -> NetCDFFile? {
        var number: Int32 = 0
        guard withNetCDFLock(nc_inq_grp_ncid(id, name, &number)) == NC_NOERR else { return nil }
        return NetCDFFile(group: number, of: self)
    }

    public var variables: [Variable] {
        var count: Int32 = 0
        guard withNetCDFLock(nc_inq_nvars(id, &count)) == NC_NOERR else { return [] }
        return (0..<count).compactMap { variable(id: $0) }
    }

    /// The variable with a name; nil where there is none, or its type is user-defined. "md/mesh/x" is x in the group mesh of the
    /// group md.
    public func variable(_ name: String) -> Variable? {
        if let slash = name.firstIndex(of: "/") {
            return group(String(name[..<slash]))?.variable(String(name[name.index(after: slash)...]))
        }
        var number: Int32 = 0
        guard withNetCDFLock(nc_inq_varid(id, name, &number)) == NC_NOERR else { return nil }
        return variable(id: number)
    }

    /// Names of variables with user-defined types (complex numbers, records), which are not read.
    package var namesOfOtherTypes: [String] {
        var count: Int32 = 0
        guard withNetCDFLock(nc_inq_nvars(id, &count)) == NC_NOERR else { return [] }
        return (0..<count).compactMap { number in
            var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
            var type: nc_type = 0
            guard withNetCDFLock(nc_inq_var(id, number, &name, &type, nil, nil, nil)) == NC_NOERR,
                VariableType(rawValue: type) == nil
            else { return nil }
            return text(of: name)
        }
    }

    /// Throws where the library cannot read the header of every variable: elsewhere such variables are silently left out.
    package func requireReadableHeaders() throws(NetCDFError) {
        var count: Int32 = 0
        withNetCDFLock(nc_inq_nvars(id, &count))
        for number in 0..<count {
            var attributes: Int32 = 0
            errno = 0
            let status = withNetCDFLock(nc_inq_var(id, number, nil, nil, nil, nil, &attributes))
            guard status != NC_NOERR else { continue }
            let what = "the header of variable number \(number + 1)"
            throw errno == EIO
                ? .diskFailed(path: path, what: what)
                : .readFailed(path: path, what: what, reason: reason(of: status, errno: errno))
        }
    }

    /// Whether a file exists whose global attribute begins with a text: an output may only replace a file of its own kind.
    public static func says(_ name: String, beginningWith text: String, path: String) throws(NetCDFError) -> Bool {
        do {
            return try NetCDFFile(reading: path).attribute(name)?.text?.hasPrefix(text) == true
        } catch {
            // What cannot be read may be anything.
            if error.kind == .inputOutput { throw error }
            return false
        }
    }

    public func requireVariable(_ name: String) throws(NetCDFError) -> Variable {
        guard let variable = variable(name) else {
            throw .missingVariable(name, path: path, present: variables.map(\.name))
        }
        return variable
    }

    public func dimension(_ name: String) -> Dimension? {
        var number: Int32 = 0
        guard withNetCDFLock(nc_inq_dimid(id, name, &number)) == NC_NOERR else { return nil }
        return dimension(id: number)
    }

    public func attribute(_ name: String) -> Attribute? { readAttribute(name, of: NC_GLOBAL) }
    public var attributeNames: [String] { attributeNames(of: NC_GLOBAL) }

    // MARK: writing

    /// Whether the library can write an attribute with this name: it reads more names than it writes.
    public static func canWrite(attribute name: String) -> Bool {
        let allowed = name.unicodeScalars.allSatisfy {
            $0.isASCII
                && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "_.+@-".unicodeScalars.contains($0))
        }
        return allowed && name.unicodeScalars.first.map { $0 == "_" || $0.properties.isAlphabetic } ?? false
    }

    public func setAttribute(_ name: String, _ value: Attribute, as type: VariableType = .double) throws(NetCDFError) {
        try writeAttribute(name, value, as: type, of: NC_GLOBAL)
    }

    public func setAttributes(_ attributes: Attributes) throws(NetCDFError) {
        for (name, value) in attributes { try setAttribute(name, value) }
    }

    public func define(dimension name: String, length: Int) throws(NetCDFError) -> Dimension {
        // A length of zero means "unlimited" to the library.
        precondition(length > 0, "dimension \(name) of length \(length)")
        var number: Int32 = 0
        try check(withNetCDFLock(nc_def_dim(id, name, length, &number)), writing: "dimension \(name)")
        return Dimension(id: number, name: name, length: length)
    }

    public func define(group name: String) throws(NetCDFError) -> NetCDFFile {
        var number: Int32 = 0
        try check(withNetCDFLock(nc_def_grp(id, name, &number)), writing: "group \(name)")
        return NetCDFFile(group: number, of: self)
    }

    /// How a variable is stored in the file.
    public enum Storage: Sendable {
        /// Contiguous, so that it can be mapped.
        case contiguous
        /// In chunks, shuffled and deflated.
        case deflated(chunks: [Int])
    }

    /// Bytes of a variable's chunks that the library keeps while they are written: those of a band of rows are written whole,
    /// and its own 16 MB a variable would be most of what an export takes.
    public static let chunkCacheBytes = 1 << 20

    public func define(
        variable name: String, _ type: VariableType, over dimensions: [Dimension], storage: Storage = .contiguous,
        _ attributes: Attributes = [:]
    ) throws(NetCDFError) -> Variable {
        var number: Int32 = 0
        let ids = dimensions.map(\.id)
        try check(
            withNetCDFLock(nc_def_var(id, name, type.rawValue, Int32(ids.count), ids, &number)),
            writing: "variable \(name)")
        switch storage {
        case .contiguous:
            if !dimensions.isEmpty {
                try check(
                    withNetCDFLock(nc_def_var_chunking(id, number, NC_CONTIGUOUS, nil)), writing: "variable \(name)")
            }
        case .deflated(let chunks):
            precondition(chunks.count == dimensions.count)
            try check(withNetCDFLock(nc_def_var_chunking(id, number, NC_CHUNKED, chunks)), writing: "variable \(name)")
            try check(withNetCDFLock(nc_def_var_deflate(id, number, 1, 1, 4)), writing: "variable \(name)")
            try check(
                withNetCDFLock(nc_set_var_chunk_cache(id, number, NetCDFFile.chunkCacheBytes, 521, 1)),
                writing: "variable \(name)")
        }
        let variable = Variable(file: self, id: number, name: name, type: type, dimensions: dimensions)
        for (name, value) in attributes { try variable.setAttribute(name, value) }
        return variable
    }

    /// Ends the definitions; must precede writing values.
    public func endDefinitions() throws(NetCDFError) {
        try check(withNetCDFLock(nc_enddef(id)), writing: "the header")
    }

    // MARK: private

    func check(_ status: Int32, writing what: String) throws(NetCDFError) {
        guard status != NC_NOERR else { return }
        throw .writeFailed(path: path, what: what, reason: reason(of: status, errno: errno))
    }

    private func dimension(id number: Int32) -> Dimension? {
        var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
        var length = 0
        guard withNetCDFLock(nc_inq_dim(id, number, &name, &length)) == NC_NOERR else { return nil }
        return Dimension(id: number, name: text(of: name), length: length)
    }

    private func variable(id number: Int32) -> Variable? {
        var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
        var type: nc_type = 0
        var rank: Int32 = 0
        guard withNetCDFLock(nc_inq_var(id, number, &name, &type, &rank, nil, nil)) == NC_NOERR,
            let known = VariableType(rawValue: type)
        else { return nil }
        var ids = [Int32](repeating: 0, count: Int(rank))
        guard withNetCDFLock(nc_inq_vardimid(id, number, &ids)) == NC_NOERR else { return nil }
        let dimensions = ids.compactMap { dimension(id: $0) }
        guard dimensions.count == ids.count else { return nil }
        return Variable(file: self, id: number, name: text(of: name), type: known, dimensions: dimensions)
    }

    /// Checks the length of a classic file: a truncated one would be read without error, as zeros.
    private func checkClassicLength(of bytes: Int) throws(NetCDFError) {
        var format: Int32 = 0
        guard withNetCDFLock(nc_inq_format_extended(id, &format, nil)) == NC_NOERR, format == NC_FORMATX_NC3 else {
            return
        }
        var needed = classicHeaderBytes
        for variable in variables {
            var size = variable.type.byteCount
            for length in variable.shape {
                let (product, overflow) = size.multipliedReportingOverflow(by: length)
                size = overflow ? Int.max / 4 : product
            }
            needed = min(needed + size, Int.max / 2)
        }
        guard bytes >= needed else { throw .truncated(path: path, bytes: bytes, needed: needed) }
    }
}

/// A path of which netCDF-C opens what has that name: it skips blanks at its beginning, and takes "c:/data" for "/c/data" and "file:x" for
/// an address.
private func pathForLibrary(_ path: String) -> String { path.hasPrefix("/") ? path : "./\(path)" }
