import Fields

/// An error of a forward solve.
public enum ForwardModelError: Failure {
    case unknownShelf(String, known: [String])
    case foldedElement(column: Int, row: Int)
    case notHeld
    case notPositive(what: String, value: Double, at: Position)
    case singular(equation: Int)
    case notConverged(shelf: String, iterations: Int)
    case meshTooFine(elements: Int, bytes: Int)
    case outsideOfProduct(shelf: String)
    case notReplaced(path: String)

    public var kind: FailureKind {
        switch self {
        case .unknownShelf, .meshTooFine, .notReplaced: .usage
        case .foldedElement, .notHeld, .notPositive, .singular, .notConverged, .outsideOfProduct: .badData
        }
    }

    public var explanation: String {
        switch self {
        case .unknownShelf(let name, let known):
            "no shelf is named \(quoted(name)); expected one of \(known.map(quoted).joined(separator: ", "))"
        case .foldedElement(let column, let row):
            "the mesh is folded or empty at element (\(column), \(row)); "
                + "along and across must form a right-handed pair, without overlap"
        case .notHeld:
            "no velocity is prescribed anywhere, so the solution is not unique; prescribe it at least on the inflow"
        case .notPositive(let what, let value, let at):
            "\(what) is \(value) at x = \(at.x) m, y = \(at.y) m; it must be positive and finite"
        case .singular(let equation):
            "the system of equations is not positive definite (equation \(equation)); "
                + "check that velocities are prescribed on the boundary and that viscosity and thickness are positive"
        case .notConverged(let shelf, let iterations):
            "the velocity of \(quoted(shelf)) did not converge in \(iterations) iterations; use another --spacing-m"
        case .meshTooFine(let elements, let bytes):
            "a mesh of \(elements) elements needs \(bytes / 1_000_000) MB for its matrix; "
                + "use a larger --spacing-m"
        case .notReplaced(let path):
            "\(path): exists and was not written by pinn-sample, so it is not replaced; choose another --name or --output"
        case .outsideOfProduct(let shelf):
            "the shelf \(quoted(shelf)) does not lie inside the products' grids (EPSG:3031, ±2800 km)"
        }
    }
}
