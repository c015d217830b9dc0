import Fields

/// A Gauss point of an element, with everything the integrals of the weak form need.
struct QuadraturePoint {
    /// Position [m].
    let position: Position
    /// Quadrature weight times the area element [m²]; the sum over all points is the area of the mesh.
    let area: Double
    /// Shape functions of the four corners, and their derivatives in x and y [m⁻¹].
    let shape: SIMD4<Double>
    let shapeX: SIMD4<Double>
    let shapeY: SIMD4<Double>
}

extension Mesh {
    /// The 2 × 2 Gauss points of an element; exact for products of derivatives on parallelograms.
    func quadrature(_ column: Int, _ row: Int) throws(PlainFailure) -> [QuadraturePoint] {
        let corner = corners(column, row)
        let x = SIMD4(nodes[corner[0]].x, nodes[corner[1]].x, nodes[corner[2]].x, nodes[corner[3]].x)
        let y = SIMD4(nodes[corner[0]].y, nodes[corner[1]].y, nodes[corner[2]].y, nodes[corner[3]].y)
        var points: [QuadraturePoint] = []
        points.reserveCapacity(4)
        for eta in [-gaussAbscissa, gaussAbscissa] {
            for xi in [-gaussAbscissa, gaussAbscissa] {
                let a = 1 + cornerXi * xi
                let b = 1 + cornerEta * eta
                let shape = a * b / 4
                let shapeXi = cornerXi * b / 4
                let shapeEta = cornerEta * a / 4
                let jacobian = (
                    xXi: (shapeXi * x).sum(), xEta: (shapeEta * x).sum(),
                    yXi: (shapeXi * y).sum(), yEta: (shapeEta * y).sum()
                )
                let determinant = jacobian.xXi * jacobian.yEta - jacobian.xEta * jacobian.yXi
                guard determinant > 0, determinant.isFinite else {
                    throw PlainFailure(
                        "the mesh is folded or empty at element (\(column), \(row)); along and across must form a right-handed pair, without overlap"
                    )
                }
                points.append(
                    QuadraturePoint(
                        position: Position((shape * x).sum(), (shape * y).sum()),
                        area: determinant,
                        shape: shape,
                        shapeX: (shapeXi * jacobian.yEta - shapeEta * jacobian.yXi) / determinant,
                        shapeY: (shapeEta * jacobian.xXi - shapeXi * jacobian.xEta) / determinant))
            }
        }
        return points
    }
}

/// Corners of the reference square, counterclockwise, and the abscissa 1/√3 of the two-point rule.
private let cornerXi = SIMD4<Double>(-1, 1, 1, -1)
private let cornerEta = SIMD4<Double>(-1, -1, 1, 1)
private let gaussAbscissa = (1.0 / 3).squareRoot()
