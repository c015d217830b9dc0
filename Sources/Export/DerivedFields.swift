import Fields
import Objective
import Physics
import PointStore
import Pointwise

/// Fields derived from velocity and viscosity at a point, by the network's own derivatives.
extension PredictedField {
    /// In every prediction.
    static func effectiveStrainRate(_ scales: Scales) -> PredictedField {
        PredictedField(
            name: "effective_strain_rate", longName: "effective strain rate", units: "year-1"
        ) { point in
            scales.strainRate * Constants.secondsPerYear * squaredStrainRate(point).squareRoot()
        }
    }

    /// Included on request: strain rates; with a viscosity, deviatoric stresses τ = 2 μ ε, the hardness
    /// B = 2 μ ε_e^(1 − 1/n) of Glen's law, and its fluidity A = B^−n.
    static func derived(model: PhysicalModel, scales: Scales, constants: Constants) -> [PredictedField] {
        let rates: [(name: String, longName: String, value: @Sendable (FieldPoint) -> Scalar)] = [
            ("xx", "along the grid's x axis", { $0.jet1(.velocityX).dx }),
            ("yy", "along the grid's y axis", { $0.jet1(.velocityY).dy }),
            ("xy", "of shear in the grid's plane", { 0.5 * ($0.jet1(.velocityX).dy + $0.jet1(.velocityY).dx) }),
        ]
        let perYear = scales.strainRate * Constants.secondsPerYear
        let strainRates = rates.map { rate in
            PredictedField(
                name: "strain_rate_\(rate.name)", longName: "strain rate \(rate.longName)", units: "year-1",
                isAlwaysWritten: false
            ) { perYear * rate.value($0) }
        }
        guard let viscosity = viscosity(of: model) else { return strainRates }
        let stress = 2 * scales.viscosity(constants) * scales.strainRate
        let stresses = rates.map { rate in
            PredictedField(
                name: "deviatoric_stress_\(rate.name)", longName: "deviatoric stress \(rate.longName)",
                units: "Pa", isAlwaysWritten: false
            ) { stress * (viscosity($0) * rate.value($0)) }
        }
        let n = Constants.glenExponent
        let hardness = { @Sendable (point: FieldPoint) in
            // As in GlenFlowLaw: a thousandth of one strain rate where nothing strains.
            2 * viscosity(point) * (squaredStrainRate(point) + Scalar(1e-6)).power(0.5 - 0.5 / n)
        }
        let unit = scales.hardness(constants)
        return strainRates + stresses + [
            PredictedField(
                name: Quantity.hardness.symbol, longName: Quantity.hardness.longName,
                units: Quantity.hardness.unit, isAlwaysWritten: false
            ) { unit * hardness($0) },
            PredictedField(
                name: "fluidity", longName: "fluidity A of ice in Glen's law with n = 3, from the hardness",
                units: "Pa-3 s-1", isAlwaysWritten: false
            ) { (unit * hardness($0)).power(-n) },
        ]
    }

    /// ε_e² = u_x² + v_y² + u_x v_y + ¼ (u_y + v_x)², the second invariant for incompressible ice (Cuffey & Paterson 2010,
    /// section 8.2).
    private static func squaredStrainRate(_ point: FieldPoint) -> Scalar {
        let u = point.jet1(.velocityX)
        let v = point.jet1(.velocityY)
        let shear = u.dy + v.dx
        return u.dx * u.dx + v.dy * v.dy + u.dx * v.dy + 0.25 * (shear * shear)
    }

    /// Nil for anisotropic ice, which has more than one.
    private static func viscosity(of model: PhysicalModel) -> (@Sendable (FieldPoint) -> Scalar)? {
        if model.unknowns.contains(.viscosity) { return { $0.value(.viscosity) } }
        return model.derived.first { $0.quantity == .viscosity }?.value
    }
}
