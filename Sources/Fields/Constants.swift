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

    public init() {}

    /// Seconds in the year of "meter/year": 365 days, as DIFFICE_jax and ISSM have it. UDUNITS' year is 0.07 % longer.
    public static let secondsPerYear = 31_536_000.0

    /// ρ g (1 − ρ/ρ_w) [Pa m⁻¹]: what drives a floating shelf, per metre of thickness and slope.
    public var drivingFactor: Double {
        iceDensity * gravity * (1 - iceDensity / seaWaterDensity)
    }
}
