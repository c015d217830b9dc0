import Glibc

/// Scales of length, speed and thickness. With the viscosity scale that follows from them, the shallow-shelf equations have no
/// factor ρ g (1 − ρ/ρ_w), and every term is of order one.
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

    /// Scale of the momentum residual ρ g (1 − ρ/ρ_w) h₀² / L₀ [Pa].
    public func momentum(_ constants: Constants) -> Double {
        constants.buoyantSpecificWeight * thickness * thickness / length
    }

    /// Scale of C² [Pa], the drag at 1 m s⁻¹: with τ_b = C² |u|^m, the drag at u₀ is `momentum`.
    public func friction(_ constants: Constants) -> Double {
        momentum(constants) / pow(speed, constants.slidingExponent)
    }

    /// Scale of B, μ₀ (u₀ / L₀)^(1 − 1/n) [Pa s^(1/3)].
    public func hardness(_ constants: Constants) -> Double {
        viscosity(constants) * pow(strainRate, 1 - 1 / Constants.glenExponent)
    }

    /// Scale of the residual of mass conservation, h₀ u₀ / L₀ [m s⁻¹].
    public var thicknessRate: Double { thickness * speed / length }

    /// u₀ / L₀ [s⁻¹]
    public var strainRate: Double { speed / length }

    /// The scale of a quantity, in the quantity's own unit.
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

/// physical = offset + scale × stored, for a column of the store: CF's add_offset and scale_factor.
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
