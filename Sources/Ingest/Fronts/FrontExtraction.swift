import Fields

/// A point of the calving front, with the unit normal from the ice to the ocean.
package struct FrontPoint: Equatable, Sendable {
    package var x: Double
    package var y: Double
    package var normalX: Double
    package var normalY: Double
}

/// The calving front of a mask: a point for each face between a floating cell and an ocean cell, moved onto a smooth line fitted
/// to the staircase of faces.
///
/// The line is a parabola, fitted by least squares to the middles of the faces before and behind, in the frame of its own
/// tangent (a jet of second order; Cazals & Pouget 2005, Comput. Aided Geom. Design 22). A straight front that crosses
/// the grid at a small angle is a staircase of long steps and needs many faces; a curved one needs few. So each point uses
/// the widest window in which the faces are no further from the parabola than the rounding to cells explains.
/// Only faces of the same line are used, in order: not walls, the other side of a bay or other fronts.
///
/// Errors of angle and position, mean and maximum (before: the Gaussian mean of the normals of faces within three times four
/// cells, at the middle of the face):
///
/// | | before | now |
/// |---|---|---|
/// | straight lines in all directions | 0.43°, 2.8°; 0.19, 0.49 cells | 0.08°, 0.7°; 0.03, 0.30 cells |
/// | circles of 9 to 80 cells | 0.57°, 2.7°; 0.20, 0.50 cells | 0.20°, 1.5°; 0.10, 0.37 cells |
/// | a bowed front of known normals, between walls | 0.89°, 6.0°; 0.22, 0.49 cells | 0.30°, 1.8°; 0.03, 0.10 cells |
package struct FrontExtraction {
    /// Half widths of the widest and the narrowest window, in cells along the line. The narrow one is a few ice thicknesses, the
    /// scale below which the shape of a front does not matter for a depth-averaged stress.
    static let widest = 24.0
    static let narrowest = 5.0
    /// Root mean square distance of faces from the line that rounding explains, in cells: 0.29 (uniform between -½ and ½) for a
    /// line along an axis, a little more for a curved one.
    static let rounding = 0.38
    /// Minimum length of the mean of the face normals (1 for a front along an axis, 0.7 for a diagonal one): below it they point
    /// in opposite directions, as at the tip of a rift, and there is no meaningful normal.
    static let shortestMean = 0.35
    /// Closed lines of fewer faces are ponds or floes of a few cells, too small to have a shape.
    static let minNeighbours = 12
    /// The front may be this many cells away from data.
    static let reach = 2

    package private(set) var points: [FrontPoint] = []
    /// Faces of the mask without a point.
    package private(set) var beyondData = 0
    package private(set) var withoutDirection = 0

    /// `codes` are row-major `IceMask` codes of the grid; `known` are the cells with data.
    package init(codes: [UInt8], grid: Grid, known: CellSet) {
        let cell = abs(grid.spacingX * grid.spacingY).squareRoot()
        for line in FrontLine.lines(codes, grid) {
            let shape = SmoothLine(line, cell: cell)
            for (number, face) in line.faces.enumerated() {
                guard FrontExtraction.hasData(near: face, grid, known) else {
                    beyondData += 1
                    continue
                }
                guard !line.isClosed || line.faces.count >= FrontExtraction.minNeighbours,
                    let point = shape.point(number), point.normalX * face.normalX + point.normalY * face.normalY > 0
                else {
                    withoutDirection += 1
                    continue
                }
                points.append(point)
            }
        }
    }

    private static func hasData(near face: FrontFace, _ grid: Grid, _ known: CellSet) -> Bool {
        for row in max(0, face.row - reach)...min(grid.rows - 1, face.row + reach) {
            for column in max(0, face.column - reach)...min(grid.columns - 1, face.column + reach)
            where known.contains(row * grid.columns + column) {
                return true
            }
        }
        return false
    }
}

/// The smooth line along a staircase of faces.
private struct SmoothLine {
    private let line: FrontLine
    private let cell: Double
    /// Distance of each face from the first along the line [m], and all around.
    private let distance: [Double]
    private let length: Double
    private let widest: Double

    init(_ line: FrontLine, cell: Double) {
        self.line = line
        self.cell = cell
        let faces = line.faces
        var distance = [0.0]
        for number in 1..<max(1, faces.count) {
            distance.append(distance[number - 1] + SmoothLine.gap(faces[number - 1], faces[number]))
        }
        length = distance[faces.count - 1] + SmoothLine.gap(faces[faces.count - 1], faces[0])
        self.distance = distance
        // A parabola cannot represent more than two fifths of a closed line.
        widest = line.isClosed ? min(FrontExtraction.widest * cell, length / 5) : FrontExtraction.widest * cell
    }

    /// The point of the line at a face; nil where faces point in opposite directions.
    func point(_ number: Int) -> FrontPoint? {
        var half = widest
        while true {
            guard let fit = fit(around: number, half: half) else { return nil }
            let narrower = 0.8 * half
            if fit.spread <= FrontExtraction.rounding * cell || narrower < FrontExtraction.narrowest * cell {
                return fit.point
            }
            half = narrower
        }
    }

    private func fit(around number: Int, half: Double) -> (point: FrontPoint, spread: Double)? {
        let here = line.faces[number]
        var samples: [(x: Double, y: Double, weight: Double)] = []
        var weights = 0.0
        var normal = (x: 0.0, y: 0.0)
        func take(_ place: Int) -> Bool {
            let count = line.faces.count
            guard line.isClosed || (place >= 0 && place < count) else { return false }
            let turns = (Double(place) / Double(count)).rounded(.down)
            let face = line.faces[place - Int(turns) * count]
            let t = distance[place - Int(turns) * count] + turns * length - distance[number]
            guard abs(t) < half else { return false }
            let weight = 1 - t * t / (half * half)
            samples.append((face.x - here.x, face.y - here.y, weight))
            weights += weight
            normal.x += weight * face.normalX
            normal.y += weight * face.normalY
            return true
        }
        var place = number
        while take(place) { place -= 1 }
        place = number + 1
        while take(place) { place += 1 }

        let sum = (normal.x * normal.x + normal.y * normal.y).squareRoot()
        guard sum > FrontExtraction.shortestMean * weights else { return nil }
        normal = (normal.x / sum, normal.y / sum)
        var point = FrontPoint(x: here.x, y: here.y, normalX: normal.x, normalY: normal.y)
        guard samples.count > 1 else { return (point, 0) }
        var spread = 0.0
        // The frame is rotated into the tangent of the fit: three iterations suffice.
        for _ in 0..<3 {
            let tangent = (x: -normal.y, y: normal.x)
            let (value, slope, rest) = SmoothLine.parabola(
                samples.map {
                    (
                        s: ($0.x * tangent.x + $0.y * tangent.y) / half, n: $0.x * normal.x + $0.y * normal.y,
                        weight: $0.weight
                    )
                }, degree: samples.count < 5 ? 1 : 2)
            let rise = slope / half
            let norm = (1 + rise * rise).squareRoot()
            point.x = here.x + value * normal.x
            point.y = here.y + value * normal.y
            normal = ((normal.x - rise * tangent.x) / norm, (normal.y - rise * tangent.y) / norm)
            (point.normalX, point.normalY) = normal
            spread = rest
            if abs(rise) < 1e-9 { break }
        }
        return (point, spread)
    }

    /// Value and slope at s = 0 of the least-squares polynomial of degree 1 or 2 in n(s), and the root mean square distance from
    /// it.
    private static func parabola(_ samples: [(s: Double, n: Double, weight: Double)], degree: Int)
        -> (value: Double, slope: Double, spread: Double)
    {
        // Polynomials orthogonal under the weights: no linear system to solve, so no conditioning problem.
        var w = 0.0
        var ws = 0.0
        for p in samples {
            w += p.weight
            ws += p.weight * p.s
        }
        let a = ws / w
        var q1 = 0.0
        var q1s = 0.0
        var n0 = 0.0
        var n1 = 0.0
        for p in samples {
            let q = p.s - a
            q1 += p.weight * q * q
            q1s += p.weight * q * q * p.s
            n0 += p.weight * p.n
            n1 += p.weight * q * p.n
        }
        let c0 = n0 / w
        guard q1 > 0 else { return (c0, 0, 0) }
        let c1 = n1 / q1
        let b = q1s / q1
        let r = q1 / w
        var q2 = 0.0
        var n2 = 0.0
        for p in samples {
            let q = (p.s - a) * (p.s - b) - r
            q2 += p.weight * q * q
            n2 += p.weight * q * p.n
        }
        let c2 = degree == 2 && q2 > 1e-9 * w ? n2 / q2 : 0
        var rest = 0.0
        for p in samples {
            let miss = p.n - c0 - c1 * (p.s - a) - c2 * ((p.s - a) * (p.s - b) - r)
            rest += p.weight * miss * miss
        }
        return (c0 - c1 * a + c2 * (a * b - r), c1 - c2 * (a + b), (rest / w).squareRoot())
    }

    private static func gap(_ a: FrontFace, _ b: FrontFace) -> Double {
        ((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y)).squareRoot()
    }
}
