import Fields

/// The constants of a run that equations read, nondimensional.
public struct PhysicalNumbers: Sendable, Equatable {
    /// 1 − ρ/ρ_w.
    public let buoyancy: Double
    /// B, in units of `Scales.hardness`.
    public let hardness: Double
    /// Exponent m of the sliding law.
    public let slidingExponent: Double

    public init(_ constants: Constants, _ scales: Scales) {
        buoyancy = 1 - constants.iceDensity / constants.seaWaterDensity
        hardness = constants.hardness / scales.hardness(constants)
        slidingExponent = constants.slidingExponent
    }
}
