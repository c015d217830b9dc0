import Fields

/// Connected components of one kind of ice: cells that share a side. Stored as runs along rows joined by union-find (Rosenfeld &
/// Pfaltz 1966), so that a mask of any size is processed in bands: 16 bytes a run, of which the 178 million cells of Antarctica
/// have a few hundred thousand.
package struct IceBodies {
    package struct Run {
        package var row: Int32
        package var first: Int32
        /// One past the last column.
        package var end: Int32
        /// Number of the body; while rows are added, the number of an earlier run of the same body.
        package fileprivate(set) var body: Int32
    }

    let width: Int
    /// Ordered by row, then by column.
    package private(set) var runs: [Run] = []
    /// The first run of each row, and the end of the last.
    private(set) var firstOfRow: [Int] = [0]
    package private(set) var count = 0

    /// More than any map of ice has: 512 MB.
    private static let maxRuns = 1 << 25

    package init(width: Int) { self.width = width }

    /// Adds the next row.
    /// - Returns: false where the mask has more runs than any real one.
    package mutating func append(row codes: ArraySlice<UInt8>, ice: IceMask) -> Bool {
        let row = firstOfRow.count - 1
        var above = row > 0 ? firstOfRow[row - 1] : 0
        let aboveEnd = firstOfRow[row]
        var column = codes.startIndex
        while let start = codes[column...].firstIndex(of: ice.rawValue) {
            let stop = codes[start...].firstIndex { $0 != ice.rawValue } ?? codes.endIndex
            let number = runs.count
            guard number < IceBodies.maxRuns else { return false }
            let (first, end) = (Int32(start - codes.startIndex), Int32(stop - codes.startIndex))
            runs.append(Run(row: Int32(row), first: first, end: end, body: Int32(number)))
            while above < aboveEnd, runs[above].end <= first { above += 1 }
            var touching = above
            while touching < aboveEnd, runs[touching].first < end {
                join(number, touching)
                touching += 1
            }
            column = stop
        }
        firstOfRow.append(runs.count)
        return true
    }

    /// Numbers the bodies in the order of their first cells.
    package mutating func finish() {
        for number in runs.indices {
            // A run refers to an earlier one, which already has its final number.
            let parent = Int(runs[number].body)
            if parent == number {
                runs[number].body = Int32(count)
                count += 1
            } else {
                runs[number].body = runs[parent].body
            }
        }
    }

    /// The body of the cell nearest to a position (fractional column and row), within `reach` cells.
    func body(nearColumn column: Double, row: Double, within reach: Double) -> Int? {
        let rows = firstOfRow.count - 1
        guard row > -reach, row < Double(rows) + reach, column > -reach, column < Double(width) + reach else {
            return nil
        }
        var best: (body: Int, distance: Double)?
        let from = max(0, Int((row - reach).rounded(.up)))
        let to = min(rows - 1, Int((row + reach).rounded(.down)))
        guard from <= to else { return nil }
        for run in runs[firstOfRow[from]..<firstOfRow[to + 1]] {
            let dx = max(0, max(Double(run.first) - column, column - Double(run.end - 1)))
            let dy = Double(run.row) - row
            let distance = dx * dx + dy * dy
            if distance <= reach * reach, distance < best?.distance ?? .infinity { best = (Int(run.body), distance) }
        }
        return best?.body
    }

    private mutating func join(_ a: Int, _ b: Int) {
        let (first, second) = (root(of: a), root(of: b))
        runs[max(first, second)].body = Int32(min(first, second))
    }

    private mutating func root(of number: Int) -> Int {
        var number = number
        while Int(runs[number].body) != number {
            // Halving the path keeps it short.
            runs[number].body = runs[Int(runs[number].body)].body
            number = Int(runs[number].body)
        }
        return number
    }
}
