/// A field at a point with its first derivatives d/dx and d/dy. Arithmetic follows the product rule, so that an
/// equation can be written as in the paper.
public struct Jet1 {
    public let value: Scalar
    public let dx: Scalar
    public let dy: Scalar

    public init(value: Scalar, dx: Scalar, dy: Scalar) {
        self.value = value
        self.dx = dx
        self.dy = dy
    }

    public static func + (a: Jet1, b: Jet1) -> Jet1 { Jet1(value: a.value + b.value, dx: a.dx + b.dx, dy: a.dy + b.dy) }
    public static func + (a: Jet1, b: Double) -> Jet1 { Jet1(value: a.value + Scalar(b), dx: a.dx, dy: a.dy) }
    public static func - (a: Jet1, b: Jet1) -> Jet1 { Jet1(value: a.value - b.value, dx: a.dx - b.dx, dy: a.dy - b.dy) }
    public static func * (a: Double, b: Jet1) -> Jet1 { Jet1(value: a * b.value, dx: a * b.dx, dy: a * b.dy) }

    /// (a b)′ = a′ b + a b′
    public static func * (a: Jet1, b: Jet1) -> Jet1 {
        Jet1(
            value: a.value * b.value, dx: a.dx * b.value + a.value * b.dx, dy: a.dy * b.value + a.value * b.dy)
    }

    /// (a^c)′ = c a^(c−1) a′, for a positive field.
    public func power(_ exponent: Double) -> Jet1 {
        let power = value.power(exponent)
        let slope = exponent * (power / value)
        return Jet1(value: power, dx: slope * dx, dy: slope * dy)
    }
}

/// A field at a point with its first and second derivatives; `dx` and `dy` are themselves jets.
public struct Jet2 {
    public let value: Scalar
    public let dx: Jet1
    public let dy: Jet1

    public init(value: Scalar, x: Scalar, y: Scalar, xx: Scalar, xy: Scalar, yy: Scalar) {
        self.value = value
        dx = Jet1(value: x, dx: xx, dy: xy)
        dy = Jet1(value: y, dx: xy, dy: yy)
    }
}
