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
    /// Misfit to the observed velocity, of the components that the model has, in the normalisation of the store.
    public static func velocityMisfit(of unknowns: [Quantity], weight: Double) -> LossTerm {
        let components = [(Quantity.velocityX, Column.u), (.velocityY, .v)].filter { unknowns.contains($0.0) }
        return LossTerm(name: "velocity", set: .velocity, weight: weight) { point in
            let importance = point.column(Column.weight.rawValue).squareRoot()
            return components.map { importance * (point.output($0.0) - point.column($0.1.rawValue)) }
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

    /// Misfit to the observed height of the surface.
    public static func surfaceMisfit(weight: Double) -> LossTerm {
        LossTerm(name: "surface", set: .surface, weight: weight) { point in
            [
                point.column(Column.weight.rawValue).squareRoot()
                    * (point.output(.surface) - point.column(Column.s.rawValue))
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
