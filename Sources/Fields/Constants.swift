/// The constants of nature and of convention that a run uses. They are settable, and every output records them:
/// codes of the field differ (sea water 1023 to 1030 kg m⁻³, year 365 or 365.25 days), and 1023 against 1030
/// alone moves the inferred viscosity by 6 %.
public struct Constants: Sendable, Equatable {
    /// Density of ice [kg m⁻³]; Cuffey & Paterson (2010), and BedMachine's "ice equivalent".
    public var iceDensity = 917.0
    /// Density of sea water [kg m⁻³]; Wang et al. (2025), Science 387. BedMachine Antarctica states 1027.
    public var seaWaterDensity = 1030.0
    /// Acceleration of gravity [m s⁻²].
    public var gravity = 9.81
    /// Hardness B of ice in Glen's flow law [Pa s^(1/3)], where the viscosity is not what is inferred: that of −10 °C,
    /// A = 3.5e-25 Pa⁻³ s⁻¹; Cuffey & Paterson (2010), table 3.4.
    public var hardness = 1.42e8
    /// m in τ_b = C² |u|^(m−1) u: Weertman's 1/n.
    public var slidingExponent = 1.0 / 3

    public init() {}

    /// Seconds in the year of "meter/year": 365 days, as DIFFICE_jax and ISSM have it. UDUNITS' year is 0.07 % longer.
    public static let secondsPerYear = 31_536_000.0

    /// n in Glen's flow law.
    public static let glenExponent = 3.0

    /// ρ g (1 − ρ/ρ_w) [Pa m⁻¹]: what drives a floating shelf, per metre of thickness and slope.
    public var buoyantSpecificWeight: Double {
        iceDensity * gravity * (1 - iceDensity / seaWaterDensity)
    }
}
