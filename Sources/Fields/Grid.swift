/// A rectangular grid of cells in a map projection: coordinates of cell centres along two axes.
public struct Grid: Sendable, Equatable {
    /// Coordinates of cell centres [m], ascending or descending, evenly spaced.
    public var x: [Double]
    public var y: [Double]
    /// The projection, from the product; nil where it states none.
    public var projection: Projection?

    public init(x: [Double], y: [Double], projection: Projection?) {
        self.x = x
        self.y = y
        self.projection = projection
    }

    public var columns: Int { x.count }
    public var rows: Int { y.count }
    public var cellCount: Int { columns * rows }

    /// Signed distance between neighbouring cell centres [m]; negative along a descending axis.
    public var spacingX: Double { columns > 1 ? (x[columns - 1] - x[0]) / Double(columns - 1) : 1 }
    public var spacingY: Double { rows > 1 ? (y[rows - 1] - y[0]) / Double(rows - 1) : 1 }

    /// Fractional column and row of a position; whole numbers are cell centres.
    public func fractionalIndex(x px: Double, y py: Double) -> (column: Double, row: Double) {
        ((px - x[0]) / spacingX, (py - y[0]) / spacingY)
    }

    /// Row-major index of the cell that contains a position; nil outside the grid.
    public func cell(containingX px: Double, y py: Double) -> Int? {
        let at = fractionalIndex(x: px, y: py)
        let column = at.column.rounded()
        let row = at.row.rounded()
        guard column >= 0, row >= 0, column < Double(columns), row < Double(rows) else { return nil }
        return Int(row) * columns + Int(column)
    }
}

/// A grid mapping as CF attributes: name to number or text, in the order of the product.
public struct Projection: Sendable, Equatable {
    public enum Value: Sendable, Equatable {
        case number(Double)
        case text(String)
    }
    public var attributes: [(name: String, value: Value)]

    public init(attributes: [(name: String, value: Value)]) {
        self.attributes = attributes
    }

    public subscript(name: String) -> Value? {
        attributes.first { $0.name == name }?.value
    }

    public static func == (a: Projection, b: Projection) -> Bool {
        a.attributes.count == b.attributes.count
            && zip(a.attributes, b.attributes).allSatisfy { $0.name == $1.name && $0.value == $1.value }
    }
}
