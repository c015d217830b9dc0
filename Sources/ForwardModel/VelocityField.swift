/// A velocity at the nodes of a mesh, and anywhere between them.
///
/// Between nodes, positions and velocities are interpolated by the same cubic Lagrange polynomials on 4 × 4 nodes. Bilinear
/// interpolation would suffice for the values but not for derivatives: sampled on a grid of another spacing, its kinks are 5 % of
/// the second differences (450 m cells on elements of 250 m), where the cubic fields satisfy the equations to 0.02 %.
public struct VelocityField: Sendable {
    public let mesh: Mesh
    /// Velocities at the nodes, in their order [m s⁻¹].
    public let nodal: [Velocity]

    public init(mesh: Mesh, nodal: [Velocity]) {
        precondition(nodal.count == mesh.nodes.count, "\(nodal.count) velocities for \(mesh.nodes.count) nodes")
        self.mesh = mesh
        self.nodal = nodal
    }

    /// A location on the mesh in units of elements: 0…columns along, 0…rows across.
    public struct Place: Sendable {
        public var along: Double
        public var across: Double
    }

    /// The velocity [m s⁻¹] at a location on the mesh.
    public func velocity(at place: Place) -> Velocity {
        let (first, second) = weights(at: place)
        return interpolate(nodal, first, second, of: \.value, \.value)
    }

    /// Derivatives of the velocity in x and y [s⁻¹] at a location on the mesh.
    public func gradient(at place: Place) -> (x: Velocity, y: Velocity) {
        let (first, second) = weights(at: place)
        let dAlong = interpolate(mesh.nodes, first, second, of: \.derivative, \.value)
        let dAcross = interpolate(mesh.nodes, first, second, of: \.value, \.derivative)
        let along = interpolate(nodal, first, second, of: \.derivative, \.value)
        let across = interpolate(nodal, first, second, of: \.value, \.derivative)
        let determinant = dAlong.x * dAcross.y - dAlong.y * dAcross.x
        return (
            (along * dAcross.y - across * dAlong.y) / determinant, (across * dAlong.x - along * dAcross.x) / determinant
        )
    }

    /// Mesh location of a position; nil outside. Newton's method from the centre of the mesh, about five steps on a smoothly
    /// mapped mesh.
    public func place(of position: Position) -> Place? {
        var place = Place(along: Double(mesh.columns) / 2, across: Double(mesh.rows) / 2)
        for _ in 0..<60 {
            let (first, second) = weights(at: place)
            let miss = position - interpolate(mesh.nodes, first, second, of: \.value, \.value)
            let dAlong = interpolate(mesh.nodes, first, second, of: \.derivative, \.value)
            let dAcross = interpolate(mesh.nodes, first, second, of: \.value, \.derivative)
            let determinant = dAlong.x * dAcross.y - dAlong.y * dAcross.x
            guard determinant > 0 else { return nil }
            let along = (miss.x * dAcross.y - miss.y * dAcross.x) / determinant
            let across = (miss.y * dAlong.x - miss.x * dAlong.y) / determinant
            // Beyond the mesh the polynomials extrapolate, so only up to half an element.
            place.along = min(max(place.along + along, -0.5), Double(mesh.columns) + 0.5)
            place.across = min(max(place.across + across, -0.5), Double(mesh.rows) + 0.5)
            if abs(along) + abs(across) < 1e-10 { return isInside(place) ? place : nil }
        }
        return nil
    }

    private func isInside(_ place: Place) -> Bool {
        let rounding = 1e-9
        return place.along >= -rounding && place.along <= Double(mesh.columns) + rounding
            && place.across >= -rounding && place.across <= Double(mesh.rows) + rounding
    }

    // MARK: Cubic interpolation

    /// Four neighbouring nodes along one axis, with their weights.
    private struct Stencil {
        var first: Int
        var value: SIMD4<Double>
        var derivative: SIMD4<Double>

        /// The nodes around a coordinate in 0…elements; near an end, the outermost four.
        init(at coordinate: Double, elements: Int) {
            first = min(max(Int(coordinate.rounded(.down)) - 1, 0), elements - 3)
            let t = coordinate - Double(first)
            let (a, b, c, d) = (t, t - 1, t - 2, t - 3)
            value = SIMD4(-b * c * d / 6, a * c * d / 2, -a * b * d / 2, a * b * c / 6)
            derivative = SIMD4(
                -(c * d + b * d + b * c) / 6, (c * d + a * d + a * c) / 2,
                -(b * d + a * d + a * b) / 2, (b * c + a * c + a * b) / 6)
        }
    }

    private func weights(at place: Place) -> (Stencil, Stencil) {
        (Stencil(at: place.along, elements: mesh.columns), Stencil(at: place.across, elements: mesh.rows))
    }

    private func interpolate(
        _ values: [SIMD2<Double>], _ along: Stencil, _ across: Stencil,
        of first: KeyPath<Stencil, SIMD4<Double>>, _ second: KeyPath<Stencil, SIMD4<Double>>
    ) -> SIMD2<Double> {
        let (weightAlong, weightAcross) = (along[keyPath: first], across[keyPath: second])
        var sum = SIMD2<Double>.zero
        for i in 0..<4 {
            for j in 0..<4 {
                sum += weightAlong[i] * weightAcross[j] * values[mesh.node(along.first + i, across.first + j)]
            }
        }
        return sum
    }
}
