import CNetCDF

/// A number type for reading and writing variables; libnetcdf converts from and to the type in the file.
public protocol NetCDFValue: Sendable {
    static var zero: Self { get }
    static var fileType: VariableType { get }
    /// libnetcdf's functions that read and write a hyperslab of the type.
    static var hyperslab: Hyperslab<Self> { get }
}

/// Functions of libnetcdf of a file, a variable, its start, its count, and row-major values.
public struct Hyperslab<Value>: Sendable {
    typealias Shape = UnsafePointer<Int>
    let get: @Sendable (Int32, Int32, Shape?, Shape?, UnsafeMutablePointer<Value>?) -> Int32
    let put: @Sendable (Int32, Int32, Shape?, Shape?, UnsafePointer<Value>?) -> Int32
}

extension Double: NetCDFValue {
    public static var fileType: VariableType { .double }
    public static var hyperslab: Hyperslab<Double> { .init(get: nc_get_vara_double, put: nc_put_vara_double) }
}

extension Float: NetCDFValue {
    public static var fileType: VariableType { .float }
    public static var hyperslab: Hyperslab<Float> { .init(get: nc_get_vara_float, put: nc_put_vara_float) }
}

extension Int32: NetCDFValue {
    public static var fileType: VariableType { .int32 }
    public static var hyperslab: Hyperslab<Int32> { .init(get: nc_get_vara_int, put: nc_put_vara_int) }
}

extension UInt32: NetCDFValue {
    public static var fileType: VariableType { .uint32 }
    public static var hyperslab: Hyperslab<UInt32> { .init(get: nc_get_vara_uint, put: nc_put_vara_uint) }
}

extension Int8: NetCDFValue {
    public static var fileType: VariableType { .int8 }
    public static var hyperslab: Hyperslab<Int8> { .init(get: nc_get_vara_schar, put: nc_put_vara_schar) }
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
