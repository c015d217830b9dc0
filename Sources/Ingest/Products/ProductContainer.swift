import Fields
import MATLABFiles
import NetCDFFiles

/// An array in a product file, whatever library reads it. Dimensions are ordered so that the values are row-major.
package protocol ProductArray {
    var name: String { get }
    var path: String { get }
    var type: VariableType { get }
    var dimensions: [Dimension] { get }
    /// Lengths of the chunks that the array is stored in; nil where it is contiguous.
    var chunkLengths: [Int]? { get }
    var attributeNames: [String] { get }
    func attribute(_ name: String) -> Attribute?
    /// Reads the raw values of a hyperslab, row-major, into a buffer of that size.
    func read(start: [Int], count: [Int], into values: UnsafeMutableBufferPointer<Double>) throws
}

extension ProductArray {
    var shape: [Int] { dimensions.map(\.length) }
    /// Dimensions longer than one: without a single time, or the one row of a vector.
    var properDimensions: [Dimension] { dimensions.filter { $0.length > 1 } }
    func numbers() throws -> [Double] { try numbers(start: shape.map { _ in 0 }, count: shape) }
    func numbers(start: [Int], count: [Int]) throws -> [Double] {
        guard let total = numberOfCells(count), total <= maxNumbersAtOnce else {
            throw NetCDFError.tooLarge(variable: name, path: path, shape: count)
        }
        return try [Double](unsafeUninitializedCapacity: total) { values, initialized in
            try read(start: start, count: count, into: UnsafeMutableBufferPointer(rebasing: values[..<total]))
            initialized = total
        }
    }
}

/// A gigabyte: fields are read in bands, and everything else is smaller.
private let maxNumbersAtOnce = 1 << 27

/// The content of a file as a library gives it: arrays by name, and global attributes. A new format is a conformance, and a line
/// in `openProductHere`.
protocol ProductContainer {
    var path: String { get }
    var arrays: [any ProductArray] { get }
    /// Names of what else the file holds, with its kind: "ud (complex numbers)".
    var others: [String] { get }
    func array(_ name: String) -> (any ProductArray)?
    var attributeNames: [String] { get }
    func attribute(_ name: String) -> Attribute?
}

/// Opens a file for a command, in a separate process: the libraries crash on some damaged files and corrupt the heap on others.
func openProduct(path: String) throws -> any ProductContainer {
    // Checked here, because the reader process has another stdin.
    try regularFileBytes(path)
    guard let command = ProductReader.command else { return try openProductHere(path: path) }
    return try ReaderProduct(path: path, command: command)
}

/// Opens a file in this process, by its content, not by its name.
func openProductHere(path: String) throws -> any ProductContainer {
    let begin = firstBytes(of: path, 128) ?? []
    if MATLABFile.isOne(begin) { return try MATLABFile(reading: path) }
    if begin.starts(with: Array("II*\0".utf8)) || begin.starts(with: Array("MM\0*".utf8)) {
        throw PlainFailure(
            "\(path): a GeoTIFF, which is not supported; convert it to NetCDF with: gdal_translate -of netCDF \(shellWord(path)) OUT.nc, and name its variable in a schema (--schema)"
        )
    }
    let file = try NetCDFFile(reading: path)
    try file.requireReadableHeaders()
    return file
}

/// NetCDF of every kind, and HDF5 without its conventions: MATLAB 7.3, PINNICLE's .h5.
extension NetCDFFile: ProductContainer {
    var arrays: [any ProductArray] { variables }
    var others: [String] { namesOfOtherTypes.map { "\($0) (of a user-defined type)" } }
    func array(_ name: String) -> (any ProductArray)? { variable(name) }
}

extension Variable: ProductArray {}

extension MATLABFile: ProductContainer {
    var arrays: [any ProductArray] { arraysOfFile }
    func array(_ name: String) -> (any ProductArray)? { arraysOfFile.first { $0.name == name } }
    var attributeNames: [String] { [] }
    func attribute(_ name: String) -> Attribute? { nil }
}

extension MATLABArray: ProductArray {
    package var chunkLengths: [Int]? { nil }
    package var attributeNames: [String] { [] }
    package func attribute(_ name: String) -> Attribute? { nil }
}
