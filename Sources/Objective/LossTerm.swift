import Fields
import Physics
import PointStore
import Pointwise

/// One term of the loss: weight × the mean over a set of points of the sum of its squared residuals.
public struct LossTerm: Sendable {
    /// Its name in histories.
    public let name: String
    public let set: PointSet
    public let weight: Double
    /// The value of a residual of 1 in `unit`, one for each residual; 1 for those beyond the last.
    public let scales: [Double]
    /// Unit of the root mean square, which is comparable between runs on a shelf.
    public let unit: String
    /// Whether it is a prior of the physics, which decides where neither data nor equations do: its weight is then relative to
    /// the sum of the other terms.
    public let isRegularizer: Bool
    public let residuals: @Sendable (FieldPoint) -> [Scalar]

    public init(
        name: String, set: PointSet, weight: Double, scales: [Double] = [], unit: String = "1",
        isRegularizer: Bool = false,
        residuals: @escaping @Sendable (FieldPoint) -> [Scalar]
    ) {
        self.name = name
        self.set = set
        self.weight = weight
        self.scales = scales
        self.unit = unit
        self.isRegularizer = isRegularizer
        self.residuals = residuals
    }
}

extension LossTerm {
    /// Misfit to the observed velocity, of the components that the model has, in the normalisation of the store.
    ///
    /// - Parameter scales: the normalisation's, of u and v [m year⁻¹].
    public static func velocityMisfit(of unknowns: [Quantity], weight: Double, scales: [Double] = [1, 1]) -> LossTerm {
        let components = [
            (Quantity.velocityX, Column.u, Column.weightU, scales[0]), (.velocityY, .v, .weightV, scales[1]),
        ]
        .filter { unknowns.contains($0.0) }
        return LossTerm(
            name: "velocity", set: .velocity, weight: weight, scales: components.map(\.3), unit: Column.u.unit
        ) { point in components.map { misfit(of: $0.0, $0.1, $0.2, at: point) } }
    }

    /// Misfit to the observed thickness.
    ///
    /// - Parameter scale: the normalisation's [m].
    public static func thicknessMisfit(weight: Double, scale: Double = 1) -> LossTerm {
        LossTerm(name: "thickness", set: .thickness, weight: weight, scales: [scale], unit: Column.h.unit) { point in
            [misfit(of: .thickness, .h, .weightH, at: point)]
        }
    }

    /// Misfit to the observed surface elevation.
    ///
    /// - Parameter scale: the normalisation's [m].
    public static func surfaceMisfit(weight: Double, scale: Double = 1) -> LossTerm {
        LossTerm(name: "surface", set: .surface, weight: weight, scales: [scale], unit: Column.s.unit) { point in
            [misfit(of: .surface, .s, .weightS, at: point)]
        }
    }

    private static func misfit(of quantity: Quantity, _ observed: Column, _ weight: Column, at point: FieldPoint)
        -> Scalar
    {
        point.column(weight.rawValue).squareRoot() * (point.output(quantity) - point.column(observed.rawValue))
    }

    /// The residuals of equations at a set of points: those of a momentum balance in units of the driving stress
    /// ρ g (1 − ρ/ρ_w) h₀² / L₀, those at the front of ρ g (1 − ρ/ρ_w) h₀.
    public static func equations(_ equations: [any Equation], name: String, at set: PointSet, weight: Double)
        -> LossTerm
    {
        LossTerm(name: name, set: set, weight: weight) { point in equations.flatMap { $0.residuals(at: point) } }
    }

    /// A prior P of the physics at collocation points. The sum R of the other terms estimates how well data and equations can
    /// be fitted, so the prior is weighted relative to it: R + w R P decreases where log R + w P does, as for misfits of
    /// unknown variance. A constant weight is too weak at the beginning of a run, when the prior alone determines its field,
    /// and in the end outweighs data without noise (docs/accuracy.md).
    public static func prior(_ equation: any Equation, weight: Double) -> LossTerm {
        LossTerm(name: "prior", set: .collocation, weight: weight, isRegularizer: true) { equation.residuals(at: $0) }
    }
}
