import Fields
import Physics
import PointStore
import Pointwise

/// One term of the loss: weight × the mean over a set of points of the sum of its squared residuals.
public struct LossTerm: Sendable {
    /// What histories call it.
    public let name: String
    public let set: PointSet
    public let weight: Double
    public let residuals: @Sendable (FieldPoint) -> [Scalar]

    public init(name: String, set: PointSet, weight: Double, residuals: @escaping @Sendable (FieldPoint) -> [Scalar]) {
        self.name = name
        self.set = set
        self.weight = weight
        self.residuals = residuals
    }
}

extension LossTerm {
    /// Misfit to the observed velocity, both components, in the normalisation of the store.
    public static func velocityMisfit(weight: Double) -> LossTerm {
        LossTerm(name: "velocity", set: .velocity, weight: weight) { point in
            let importance = point.column(Column.weight.rawValue).squareRoot()
            return [
                importance * (point.output(.velocityX) - point.column(Column.u.rawValue)),
                importance * (point.output(.velocityY) - point.column(Column.v.rawValue)),
            ]
        }
    }

    /// Misfit to the observed thickness.
    public static func thicknessMisfit(weight: Double) -> LossTerm {
        LossTerm(name: "thickness", set: .thickness, weight: weight) { point in
            [
                point.column(Column.weight.rawValue).squareRoot()
                    * (point.output(.thickness) - point.column(Column.h.rawValue))
            ]
        }
    }

    /// The residuals of equations at a set of points.
    public static func equations(_ equations: [any Equation], name: String, at set: PointSet, weight: Double)
        -> LossTerm
    {
        LossTerm(name: name, set: set, weight: weight) { point in equations.flatMap { $0.residuals(at: point) } }
    }
}
