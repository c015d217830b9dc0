import Fields

/// The shallow-shelf equations for a known viscosity and thickness, linear in the velocity (MacAyeal 1989, J. Geophys.
/// Res. 94, 4071–4087), as a system of bilinear finite elements.
///
/// With the depth-integrated membrane stress of a viscosity that may differ between the horizontal and the vertical
///
///     N_xx = 2 h (μ_h u_x + μ_v (u_x + v_y)),  N_yy = 2 h (μ_h v_y + μ_v (u_x + v_y)),  N_xy = h μ_h (u_y + v_x)
///
/// (isotropic ice has μ_h = μ_v = μ, and N_xx = 2 μ h (2 u_x + v_y)) and the pressure P = ½ ρ g (1 − ρ/ρ_w) h², the
/// equations are div N = grad P, and N n = P n at the calving front. Times a test function w and integrated by parts,
/// the front's term of N and that of P cancel, and w is zero where the velocity is prescribed, so that
///
///     ∫ (N_xx w_x + N_xy w_y) dA + ∫ β u w dA = ∫ P w_x dA + ∫ f_x w dA,   and the same for y.
///
/// Every side without a prescribed velocity thus is a calving front, and no derivative of the thickness is taken.
public struct ShallowShelfSystem {
    public let mesh: Mesh
    public let constants: Constants
    /// Thickness h [m].
    public let thickness: (Position) -> Double
    /// Viscosity μ [Pa s].
    public let viscosity: (Position) -> Viscosity
    /// Velocity at nodes where it is prescribed, nil elsewhere [m s⁻¹].
    public let prescribed: [Velocity?]
    /// Force per area f in addition to the driving stress [Pa]; zero on a real shelf, nonzero in manufactured solutions.
    public let bodyForce: ((Position) -> SIMD2<Double>)?
    /// Linear drag coefficient β [Pa s m⁻¹]: basal drag is β times the velocity; zero under a shelf.
    public let drag: ((Position) -> Double)?

    public init(
        mesh: Mesh, constants: Constants = Constants(), thickness: @escaping (Position) -> Double,
        viscosity: @escaping (Position) -> Viscosity, prescribed: [Velocity?],
        bodyForce: ((Position) -> SIMD2<Double>)? = nil, drag: ((Position) -> Double)? = nil
    ) {
        precondition(prescribed.count == mesh.nodes.count, "\(prescribed.count) values for \(mesh.nodes.count) nodes")
        self.mesh = mesh
        self.constants = constants
        self.thickness = thickness
        self.viscosity = viscosity
        self.prescribed = prescribed
        self.bodyForce = bodyForce
        self.drag = drag
    }

    private static func shape(_ mesh: Mesh) -> (order: Int, bandwidth: Int) {
        (2 * mesh.nodes.count, 2 * (mesh.rows + 2) + 1)
    }

    static func matrixBytes(_ mesh: Mesh) throws(PlainFailure) -> Int {
        let (order, bandwidth) = shape(mesh)
        let bytes = BandedMatrix.byteCount(order: order, bandwidth: bandwidth)
        guard bytes <= BandedMatrix.maxBytes else {
            throw PlainFailure(
                .usage,
                "a mesh of \(mesh.columns * mesh.rows) elements needs \(bytes / 1_000_000) MB for its matrix; use a larger --spacing-m"
            )
        }
        return bytes
    }

    /// The velocity at every node.
    public func solve() throws(PlainFailure) -> VelocityField {
        guard prescribed.contains(where: { $0 != nil }) else {
            throw PlainFailure(
                "no velocity is prescribed anywhere, so the solution is not unique; prescribe it at least on the inflow"
            )
        }
        _ = try ShallowShelfSystem.matrixBytes(mesh)
        let (order, bandwidth) = ShallowShelfSystem.shape(mesh)
        var matrix = BandedMatrix(order: order, bandwidth: bandwidth)
        var force = [Double](repeating: 0, count: order)
        // Scaled by a typical μ h, the matrix is of order one, like the rows 1 × u = u of prescribed velocities.
        let scale = try stiffnessScale()
        for column in 0..<mesh.columns {
            for row in 0..<mesh.rows {
                let element = try elementSystem(column, row, scale: scale)
                add(element, corners: mesh.corners(column, row), to: &matrix, &force)
            }
        }
        for (node, velocity) in prescribed.enumerated() {
            guard let velocity else { continue }
            for component in 0..<2 {
                matrix[2 * node + component, 2 * node + component] = 1
                force[2 * node + component] = velocity[component]
            }
        }
        let solution = try matrix.solve(force)
        return VelocityField(
            mesh: mesh, nodal: mesh.nodes.indices.map { Velocity(solution[2 * $0], solution[2 * $0 + 1]) })
    }

    /// Stiffness matrix and force vector of one element; unknowns are u, v of corner 0, u, v of corner 1, and so on.
    private struct ElementSystem {
        var stiffness = [Double](repeating: 0, count: 64)
        var force = [Double](repeating: 0, count: 8)
    }

    private func elementSystem(_ column: Int, _ row: Int, scale: Double) throws(PlainFailure) -> ElementSystem {
        var element = ElementSystem()
        for point in try mesh.quadrature(column, row) {
            let h = try positive(thickness(point.position), "the thickness [m]", at: point.position)
            let mu = viscosity(point.position)
            let horizontalViscosity = try positive(mu.horizontal, "the viscosity [Pa s]", at: point.position)
            let verticalViscosity = try positive(mu.vertical, "the vertical viscosity [Pa s]", at: point.position)
            let shear = horizontalViscosity * h / scale * point.area
            let spread = 2 * verticalViscosity * h / scale * point.area
            let stretch = 2 * shear + spread
            let pressure = constants.buoyantSpecificWeight * h * h / 2 / scale * point.area
            let extra = (bodyForce?(point.position) ?? .zero) / scale * point.area
            let hold = (drag?(point.position) ?? 0) / scale * point.area
            let (shape, dx, dy) = (point.shape, point.shapeX, point.shapeY)
            for test in 0..<4 {
                element.force[2 * test] += pressure * dx[test] + extra.x * shape[test]
                element.force[2 * test + 1] += pressure * dy[test] + extra.y * shape[test]
                for trial in 0..<4 {
                    let (xx, xy) = (dx[test] * dx[trial], dx[test] * dy[trial])
                    let (yx, yy) = (dy[test] * dx[trial], dy[test] * dy[trial])
                    let held = hold * shape[test] * shape[trial]
                    element.stiffness[16 * test + 2 * trial] += stretch * xx + shear * yy + held
                    element.stiffness[16 * test + 2 * trial + 1] += spread * xy + shear * yx
                    element.stiffness[16 * test + 8 + 2 * trial] += spread * yx + shear * xy
                    element.stiffness[16 * test + 8 + 2 * trial + 1] += stretch * yy + shear * xx + held
                }
            }
        }
        return element
    }

    /// Adds an element's contribution. Coefficients of prescribed velocities go to the right-hand side, which keeps the
    /// matrix symmetric.
    private func add(
        _ element: ElementSystem, corners: SIMD4<Int>, to matrix: inout BandedMatrix, _ force: inout [Double]
    ) {
        for test in 0..<8 {
            guard prescribed[corners[test / 2]] == nil else { continue }
            let row = 2 * corners[test / 2] + test % 2
            force[row] += element.force[test]
            for trial in 0..<8 {
                let stiffness = element.stiffness[8 * test + trial]
                if let known = prescribed[corners[trial / 2]] {
                    force[row] -= stiffness * known[trial % 2]
                } else {
                    let column = 2 * corners[trial / 2] + trial % 2
                    if column <= row { matrix[row, column] += stiffness }
                }
            }
        }
    }

    /// μ h at the centre of the mesh [Pa s m].
    private func stiffnessScale() throws(PlainFailure) -> Double {
        let middle = mesh.nodes[mesh.node(mesh.columns / 2, mesh.rows / 2)]
        return try positive(viscosity(middle).horizontal * thickness(middle), "viscosity times thickness", at: middle)
    }

    private func positive(_ value: Double, _ what: String, at position: Position) throws(PlainFailure) -> Double {
        guard value > 0, value.isFinite else {
            throw PlainFailure(
                "\(what) is \(value) at x = \(position.x) m, y = \(position.y) m; it must be positive and finite")
        }
        return value
    }
}

/// The viscosity of ice at a position [Pa s]: against deformation in the horizontal plane, and against vertical stretching.
/// The two are equal unless the ice is anisotropic.
public struct Viscosity: Sendable, Equatable {
    public var horizontal: Double
    public var vertical: Double

    public init(horizontal: Double, vertical: Double) {
        self.horizontal = horizontal
        self.vertical = vertical
    }

    public init(isotropic: Double) {
        self.init(horizontal: isotropic, vertical: isotropic)
    }
}
