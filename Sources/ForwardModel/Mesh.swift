/// A position in projection coordinates [m].
public typealias Position = SIMD2<Double>

/// A velocity along the axes of the projection [m s⁻¹].
public typealias Velocity = SIMD2<Double>

/// A frame of the flow of a straight shelf: across points to the left of the flow.
struct FlowFrame {
    /// Midpoint of the inflow [m].
    let origin: Position
    /// Unit vector along the flow.
    let flow: Position

    /// A vector given along and across the flow, rotated to the axes of the projection.
    func vector(_ along: Double, _ across: Double) -> SIMD2<Double> {
        SIMD2(along * flow.x - across * flow.y, along * flow.y + across * flow.x)
    }

    /// Distance from the inflow, and from the centre line, positive to the left [m].
    func alongAndAcross(_ position: Position) -> (Double, Double) {
        let offset = position - origin
        return ((offset * flow).sum(), offset.y * flow.x - offset.x * flow.y)
    }
}

/// A mesh of quadrilaterals, the image of a rectangle of `columns` × `rows` elements. Columns run along the flow, rows
/// across it; along and across form a right-handed pair. Nodes are numbered with the row index fastest, so the bandwidth
/// of a matrix on the mesh grows with `rows`, which should be the shorter side.
public struct Mesh: Sendable {
    /// Number of elements along and across; there is one more node in each direction.
    public let columns: Int
    public let rows: Int
    /// Positions of the nodes [m], row index fastest.
    public let nodes: [Position]

    /// `position` is that of the node (column, row), 0…columns and 0…rows.
    public init(columns: Int, rows: Int, position: (_ column: Int, _ row: Int) -> Position) {
        precondition(
            columns >= 3 && rows >= 3, "\(columns) × \(rows) elements; interpolation needs four nodes in each direction"
        )
        self.columns = columns
        self.rows = rows
        nodes = (0...columns).flatMap { column in (0...rows).map { row in position(column, row) } }
    }

    public func node(_ column: Int, _ row: Int) -> Int { column * (rows + 1) + row }

    /// The four nodes of an element, counterclockwise.
    func corners(_ column: Int, _ row: Int) -> SIMD4<Int> {
        SIMD4(node(column, row), node(column + 1, row), node(column + 1, row + 1), node(column, row + 1))
    }

    /// The nodes of one side, in order.
    public func nodes(on side: Side) -> [Int] {
        switch side {
        case .inflow: (0...rows).map { node(0, $0) }
        case .front: (0...rows).map { node(columns, $0) }
        case .rightWall: (0...columns).map { node($0, 0) }
        case .leftWall: (0...columns).map { node($0, rows) }
        }
    }

    /// The sides of the rectangle, as seen when looking along the flow.
    public enum Side: CaseIterable, Sendable {
        case inflow, front, rightWall, leftWall
    }
}
