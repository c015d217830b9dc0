/// Read-only float32 values, one per point, in memory that something else owns: an array, or a mapped window of a file.
/// A column keeps its owner alive, so it may outlive the chunk that it came with.
public struct FloatColumn: Sendable, RandomAccessCollection {
    // Unchecked: nobody writes to the memory while the owner lives, by the contract of `init(_:owner:)`.
    @usableFromInline
    enum Storage: @unchecked Sendable {
        case array([Float])
        case memory(UnsafeBufferPointer<Float>, owner: any AnyObject & Sendable)
    }

    @usableFromInline let storage: Storage

    @inlinable
    public init(_ values: [Float]) { storage = .array(values) }

    /// Values that stay where and what they are for as long as `owner` lives.
    public init(_ values: UnsafeBufferPointer<Float>, owner: any AnyObject & Sendable) {
        storage = .memory(values, owner: owner)
    }

    public var startIndex: Int { 0 }

    @inlinable
    public var endIndex: Int {
        switch storage {
        case .array(let values): values.count
        case .memory(let values, _): values.count
        }
    }

    @inlinable
    public subscript(index: Int) -> Float {
        switch storage {
        case .array(let values): return values[index]
        case .memory(let values, _):
            precondition(values.indices.contains(index))
            return values[index]
        }
    }

    @inlinable
    public func withUnsafeBufferPointer<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows
        -> Result
    {
        switch storage {
        case .array(let values): try values.withUnsafeBufferPointer(body)
        case .memory(let values, let owner): try withExtendedLifetime(owner) { try body(values) }
        }
    }

    /// Lets `Array(column)`, `append(contentsOf:)` and the like copy in one piece.
    @inlinable
    public func withContiguousStorageIfAvailable<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows
        -> Result?
    {
        try withUnsafeBufferPointer(body)
    }
}
