import Fields
import Glibc
import MATLABFiles
import NetCDFFiles

/// An array of a product's file, whatever library reads it. Dimensions stand so that the values are row-major.
protocol ProductArray {
    var name: String { get }
    var path: String { get }
    var type: VariableType { get }
    var dimensions: [Dimension] { get }
    /// Lengths of the pieces that the array is stored in; nil where it lies in one.
    var chunkLengths: [Int]? { get }
    var attributeNames: [String] { get }
    func attribute(_ name: String) -> Attribute?
    /// Raw values of a hyperslab, row-major, into memory for as many.
    func read(start: [Int], count: [Int], into values: UnsafeMutableBufferPointer<Double>) throws
}

extension ProductArray {
    var shape: [Int] { dimensions.map(\.length) }
    /// Without those of length one: a time, or the rows of a column.
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

/// A gigabyte: fields are read in bands, and nothing else that is read whole is as large.
private let maxNumbersAtOnce = 1 << 27

/// What a library gives of a file: arrays by name, and attributes of the whole. A format more is a conformance, and a line
/// in `openProduct`.
protocol ProductContainer {
    var path: String { get }
    var arrays: [any ProductArray] { get }
    /// What else it holds under a name, in words: "ud (complex numbers)".
    var others: [String] { get }
    func array(_ name: String) -> (any ProductArray)?
    var attributeNames: [String] { get }
    func attribute(_ name: String) -> Attribute?
}

/// Opens a file for a command: in a process of its own, since the libraries die of some files and spoil the heap on others.
func openProduct(path: String) throws -> any ProductContainer {
    // Here, as the reader has another stdin.
    try regularFileBytes(path)
    guard let command = ProductReader.command else { return try openProductHere(path: path) }
    return try ReaderProduct(path: path, command: command)
}

/// Opens a file in this process, by what it holds, not by its name.
func openProductHere(path: String) throws -> any ProductContainer {
    let begin = firstBytes(of: path)
    if MATLABFile.isOne(begin) { return try MATLABFile(reading: path) }
    if begin.starts(with: Array("II*\0".utf8)) || begin.starts(with: Array("MM\0*".utf8)) {
        throw IngestError.geoTIFF(path: path)
    }
    let file = try NetCDFFile(reading: path)
    try file.requireReadableHeaders()
    return file
}

/// None of a file that cannot be read: whoever opens it says why.
private func firstBytes(of path: String) -> [UInt8] {
    var info = stat()
    guard stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG, let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes.prefix(count))
}

/// NetCDF of every kind, and HDF5 without its conventions: MATLAB's version 7.3, PINNICLE's .h5.
extension NetCDFFile: ProductContainer {
    var arrays: [any ProductArray] { variables }
    var others: [String] { namesOfOtherTypes.map { "\($0) (of a type of its own)" } }
    func array(_ name: String) -> (any ProductArray)? { variable(name) }
}

extension Variable: ProductArray {}

extension MATLABFile: ProductContainer {
    var arrays: [any ProductArray] { arraysOfFile }
    var others: [String] { otherNames }
    func array(_ name: String) -> (any ProductArray)? { arraysOfFile.first { $0.name == name } }
    var attributeNames: [String] { [] }
    func attribute(_ name: String) -> Attribute? { nil }
}

extension MATLABArray: ProductArray {
    var chunkLengths: [Int]? { nil }
    var attributeNames: [String] { [] }
    func attribute(_ name: String) -> Attribute? { nil }
}
