import CNetCDF

/// A number type for reading and writing variables; libnetcdf converts from and to the type in the file.
public protocol NetCDFValue: Sendable {
    static var zero: Self { get }
    static var fileType: VariableType { get }
    static func get(_ file: Int32, _ variable: Int32, _ start: [Int], _ count: [Int], into: UnsafeMutablePointer<Self>)
        -> Int32
    static func put(_ file: Int32, _ variable: Int32, _ start: [Int], _ count: [Int], from: UnsafePointer<Self>)
        -> Int32
}

extension Double: NetCDFValue {
    public static var fileType: VariableType { .double }
    public static func get(
        _ file: Int32, _ variable: Int32, _ start: [Int], _ count: [Int], into: UnsafeMutablePointer<Double>
    ) -> Int32 {
        withNetCDFLock(nc_get_vara_double(file, variable, start, count, into))
    }
    public static func put(
        _ file: Int32, _ variable: Int32, _ start: [Int], _ count: [Int], from: UnsafePointer<Double>
    ) -> Int32 {
        withNetCDFLock(nc_put_vara_double(file, variable, start, count, from))
    }
}

extension Float: NetCDFValue {
    public static var fileType: VariableType { .float }
    public static func get(
        _ file: Int32, _ variable: Int32, _ start: [Int], _ count: [Int], into: UnsafeMutablePointer<Float>
    ) -> Int32 {
        withNetCDFLock(nc_get_vara_float(file, variable, start, count, into))
    }
    public static func put(_ file: Int32, _ variable: Int32, _ start: [Int], _ count: [Int], from: UnsafePointer<Float>)
        -> Int32
    {
        withNetCDFLock(nc_put_vara_float(file, variable, start, count, from))
    }
}

extension Int32: NetCDFValue {
    public static var fileType: VariableType { .int32 }
    public static func get(
        _ file: Int32, _ variable: Int32, _ start: [Int], _ count: [Int], into: UnsafeMutablePointer<Int32>
    ) -> Int32 {
        withNetCDFLock(nc_get_vara_int(file, variable, start, count, into))
    }
    public static func put(_ file: Int32, _ variable: Int32, _ start: [Int], _ count: [Int], from: UnsafePointer<Int32>)
        -> Int32
    {
        withNetCDFLock(nc_put_vara_int(file, variable, start, count, from))
    }
}

extension UInt32: NetCDFValue {
    public static var fileType: VariableType { .uint32 }
    public static func get(
        _ file: Int32, _ variable: Int32, _ start: [Int], _ count: [Int], into: UnsafeMutablePointer<UInt32>
    ) -> Int32 {
        withNetCDFLock(nc_get_vara_uint(file, variable, start, count, into))
    }
    public static func put(
        _ file: Int32, _ variable: Int32, _ start: [Int], _ count: [Int], from: UnsafePointer<UInt32>
    ) -> Int32 {
        withNetCDFLock(nc_put_vara_uint(file, variable, start, count, from))
    }
}

extension Int8: NetCDFValue {
    public static var fileType: VariableType { .int8 }
    public static func get(
        _ file: Int32, _ variable: Int32, _ start: [Int], _ count: [Int], into: UnsafeMutablePointer<Int8>
    ) -> Int32 {
        withNetCDFLock(nc_get_vara_schar(file, variable, start, count, into))
    }
    public static func put(_ file: Int32, _ variable: Int32, _ start: [Int], _ count: [Int], from: UnsafePointer<Int8>)
        -> Int32
    {
        withNetCDFLock(nc_put_vara_schar(file, variable, start, count, from))
    }
}

/// The NetCDF-4 types in products, stores and predictions.
public enum VariableType: Int32, Codable, Sendable {
    case int8 = 1
    case text = 2
    case int16 = 3
    case int32 = 4
    case float = 5
    case double = 6
    case uint8 = 7
    case uint16 = 8
    case uint32 = 9
    case int64 = 10
    case uint64 = 11
    case string = 12

    public var byteCount: Int {
        switch self {
        case .int8, .uint8, .text: 1
        case .int16, .uint16: 2
        case .int32, .uint32, .float: 4
        case .int64, .uint64, .double, .string: 8
        }
    }
}
