import Fields
import Glibc

/// A point of the calving front with the unit normal that points from the ice to the ocean.
package struct FrontPoint: Equatable, Sendable {
    package var x: Double
    package var y: Double
    package var normalX: Double
    package var normalY: Double
}

/// The calving front of a mask: the faces between floating cells and ocean cells.
///
/// A face's own normal is along an axis. The front's normal there is the mean of the normals of the faces around it,
/// weighted by a Gaussian of the distance. By the divergence theorem that is the gradient of the smoothed ice indicator,
/// taken over the front alone: side walls (grounded ice, land) have no part in it, so they do not bend the normal where
/// they meet the front, whether the wall goes on beyond the front or ends there, and the border of the region does not either.
package struct FrontExtraction {
    /// Standard deviation of the Gaussian, in cells. A straight front that crosses the grid at a small angle is a stair of
    /// long treads, and needs a wide one; a front that bends within a few kilometres needs a narrow one. On the test shelf
    /// with a bowed front of known normals the median and largest errors are 1.5° and 10° for 2, 0.7° and 7° for 3, 0.3°
    /// and 6° for 4, 0.2° and 4° for 6.
    package static let width = 4.0
    /// Below this length of the mean normal (1 on a straight front along an axis, 0.7 on a diagonal one) faces look in
    /// opposite directions, as around a pond of a few cells, and there is no normal to speak of.
    static let shortestMean = 0.15
    /// The front may lie this many cells beyond the data.
    static let reach = 2

    private struct Face {
        var row: Int
        var column: Int
        var x: Double
        var y: Double
        /// Outward normal times the length of the face.
        var lengthX: Double
        var lengthY: Double
    }

    package private(set) var points: [FrontPoint] = []
    /// Faces of the mask that gave no point.
    package private(set) var beyondData = 0
    package private(set) var withoutDirection = 0

    /// `codes` are row-major `IceMask` codes of the grid; `known` are the cells with data.
    package init(codes: [UInt8], grid: Grid, known: CellSet) {
        let faces = FrontExtraction.faces(codes, grid)
        let normals = FrontExtraction.smoothed(faces, grid)
        for (face, normal) in zip(faces, normals) {
            guard FrontExtraction.hasData(near: face, grid, known) else {
                beyondData += 1
                continue
            }
            guard let normal, normal.x * face.lengthX + normal.y * face.lengthY > 0 else {
                withoutDirection += 1
                continue
            }
            points.append(FrontPoint(x: face.x, y: face.y, normalX: normal.x, normalY: normal.y))
        }
    }

    /// All faces, by rows, and within a row by columns.
    private static func faces(_ codes: [UInt8], _ grid: Grid) -> [Face] {
        let floating = IceMask.floatingIce.rawValue
        let ocean = IceMask.ocean.rawValue
        let columns = grid.columns
        let dx = grid.spacingX
        let dy = grid.spacingY
        var faces: [Face] = []
        for row in 0..<grid.rows {
            for column in 0..<columns where codes[row * columns + column] == floating {
                for (stepRow, stepColumn) in [(0, 1), (0, -1), (1, 0), (-1, 0)] {
                    let r = row + stepRow
                    let c = column + stepColumn
                    guard r >= 0, r < grid.rows, c >= 0, c < columns, codes[r * columns + c] == ocean else { continue }
                    let towardX = Double(stepColumn) * dx
                    let towardY = Double(stepRow) * dy
                    faces.append(
                        Face(
                            row: row, column: column, x: grid.x[column] + towardX / 2, y: grid.y[row] + towardY / 2,
                            lengthX: Double(stepColumn) * (dx < 0 ? -1 : 1) * abs(dy),
                            lengthY: Double(stepRow) * (dy < 0 ? -1 : 1) * abs(dx)))
                }
            }
        }
        return faces
    }

    private static func smoothed(_ faces: [Face], _ grid: Grid) -> [(x: Double, y: Double)?] {
        let sigma = width * abs(grid.spacingX * grid.spacingY).squareRoot()
        let radius = Int((3 * width).rounded(.up))
        var firstOfRow = [Int](repeating: faces.count, count: grid.rows + 1)
        for number in faces.indices.reversed() { firstOfRow[faces[number].row] = number }
        for row in (0..<grid.rows).reversed() { firstOfRow[row] = min(firstOfRow[row], firstOfRow[row + 1]) }

        return faces.map { face in
            var sumX = 0.0
            var sumY = 0.0
            var total = 0.0
            for row in max(0, face.row - radius)...min(grid.rows - 1, face.row + radius) {
                var number = lowerBound(faces, firstOfRow[row]..<firstOfRow[row + 1], column: face.column - radius)
                while number < firstOfRow[row + 1], faces[number].column <= face.column + radius {
                    let other = faces[number]
                    let distance =
                        ((other.x - face.x) * (other.x - face.x) + (other.y - face.y) * (other.y - face.y))
                        / (sigma * sigma)
                    let weight = exp(-0.5 * distance)
                    sumX += weight * other.lengthX
                    sumY += weight * other.lengthY
                    total += weight * (abs(other.lengthX) + abs(other.lengthY))
                    number += 1
                }
            }
            let length = (sumX * sumX + sumY * sumY).squareRoot()
            return length > shortestMean * total ? (sumX / length, sumY / length) : nil
        }
    }

    /// The first face of a row's run at or behind a column.
    private static func lowerBound(_ faces: [Face], _ run: Range<Int>, column: Int) -> Int {
        var low = run.lowerBound
        var high = run.upperBound
        while low < high {
            let middle = (low + high) / 2
            if faces[middle].column < column { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func hasData(near face: Face, _ grid: Grid, _ known: CellSet) -> Bool {
        for row in max(0, face.row - reach)...min(grid.rows - 1, face.row + reach) {
            for column in max(0, face.column - reach)...min(grid.columns - 1, face.column + reach)
            where known.contains(row * grid.columns + column) {
                return true
            }
        }
        return false
    }
}
