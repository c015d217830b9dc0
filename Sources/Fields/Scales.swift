import Glibc

/// One length, one speed and one thickness: with the viscosity that follows from them, the shallow-shelf equations
/// hold without the factor ρ g (1 − ρ/ρ_w), and every term is of order one.
public struct Scales: Sendable, Equatable {
    /// [m]
    public var length: Double
    /// [m s⁻¹]
    public var speed: Double
    /// [m]
    public var thickness: Double

    public init(length: Double, speed: Double, thickness: Double) {
        self.length = length
        self.speed = speed
        self.thickness = thickness
    }

    /// μ₀ = ρ g (1 − ρ/ρ_w) h₀ L₀ / u₀ [Pa s].
    public func viscosity(_ constants: Constants) -> Double {
        constants.buoyantSpecificWeight * thickness * length / speed
    }

    /// ρ g (1 − ρ/ρ_w) h₀² / L₀ [Pa]: a momentum residual of one.
    public func momentum(_ constants: Constants) -> Double {
        constants.buoyantSpecificWeight * thickness * thickness / length
    }

    /// C² [Pa] of one: the drag, at a speed of 1 m s⁻¹, that is `momentum` at u₀ by τ_b = C² |u|^m.
    public func friction(_ constants: Constants) -> Double {
        momentum(constants) / pow(speed, constants.slidingExponent)
    }

    /// B [Pa s^(1/3)] of one: μ₀ (u₀ / L₀)^(1 − 1/n).
    public func hardness(_ constants: Constants) -> Double {
        viscosity(constants) * pow(strainRate, 1 - 1 / Constants.glenExponent)
    }

    /// h₀ u₀ / L₀ [m s⁻¹]: a residual of one in the conservation of mass.
    public var thicknessRate: Double { thickness * speed / length }

    /// u₀ / L₀ [s⁻¹]
    public var strainRate: Double { speed / length }

    /// What a value of one is in the quantity's own unit.
    public func unit(of quantity: Quantity, _ constants: Constants) -> Double {
        switch quantity {
        case .velocityX, .velocityY: speed * Constants.secondsPerYear
        case .thickness, .surface: thickness
        case .viscosity, .horizontalViscosity, .verticalViscosity: viscosity(constants)
        case .massBalance: thicknessRate * Constants.secondsPerYear
        case .friction: friction(constants)
        case .basalDrag: momentum(constants)
        case .hardness: hardness(constants)
        }
    }
}

/// physical = offset + scale × stored: how a column of the store holds a quantity, and CF's add_offset and scale_factor.
public struct Normalization: Sendable, Equatable {
    public var offset: Double
    public var scale: Double

    public init(offset: Double, scale: Double) {
        self.offset = offset
        self.scale = scale
    }

    public func stored(_ physical: Double) -> Double { (physical - offset) / scale }
    public func physical(_ stored: Double) -> Double { offset + scale * stored }
}
