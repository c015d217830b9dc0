/// A set of grid cells, one bit each: a mask of all Antarctica has 178 million.
package struct CellSet: Sendable {
    private var words: [UInt64]

    package init(capacity: Int) {
        words = [UInt64](repeating: 0, count: (capacity + 63) / 64)
    }

    package mutating func insert(_ cell: Int) {
        words[cell >> 6] |= UInt64(1) << UInt64(cell & 63)
    }

    package func contains(_ cell: Int) -> Bool { words[cell >> 6] >> UInt64(cell & 63) & 1 == 1 }
}
