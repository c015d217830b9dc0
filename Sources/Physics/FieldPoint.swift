import Fields
import Pointwise

/// How a nondimensional field follows from a network output o.
public enum OutputMap: Sendable, Equatable {
    /// offset + scale · o
    case affine(offset: Double, scale: Double)
    /// e^o, positive for every output.
    case exponential
}

/// The fields of a model at one point, as an equation sees them: nondimensional, with derivatives along x and y.
/// The derivatives that an equation reads determine which channels the network must carry.
public struct FieldPoint {
    private let tracer: Tracer
    private let unknowns: [Quantity]
    private let maps: [Quantity: OutputMap]
    private let columns: [String]
    private let givenNumbers: PhysicalNumbers?

    /// - Parameters:
    ///   - tracer: records what is computed.
    ///   - unknowns: quantities in the order of the network's outputs.
    ///   - maps: how each unknown follows from its output.
    ///   - columns: names of the columns that points of this set carry.
    ///   - numbers: constants of the run, for equations that read them.
    public init(
        tracer: Tracer, unknowns: [Quantity], maps: [Quantity: OutputMap], columns: [String],
        numbers: PhysicalNumbers? = nil
    ) {
        self.tracer = tracer
        self.unknowns = unknowns
        self.maps = maps
        self.columns = columns
        givenNumbers = numbers
    }

    /// The run's constants in nondimensional form.
    public var numbers: PhysicalNumbers {
        guard let givenNumbers else { preconditionFailure("no physical numbers were given for these points") }
        return givenNumbers
    }

    /// The network's own output for a quantity, in the normalisation of the data.
    public func output(_ quantity: Quantity, _ channel: Channel = .value) -> Scalar {
        guard let number = unknowns.firstIndex(of: quantity) else {
            preconditionFailure("\(quantity) is not an unknown of the model")
        }
        return tracer.input(.channel(output: number, channel))
    }

    /// A column value of the point, such as "nx".
    public func column(_ name: String) -> Scalar {
        guard let number = columns.firstIndex(of: name) else {
            preconditionFailure("no column \(name) at these points")
        }
        return tracer.input(.column(number))
    }

    public func value(_ quantity: Quantity) -> Scalar {
        switch map(quantity) {
        case .affine(let offset, let scale): scale * output(quantity) + Scalar(offset)
        case .exponential: exp(output(quantity))
        }
    }

    public func jet1(_ quantity: Quantity) -> Jet1 {
        let value = value(quantity)
        // d(e^o) = e^o do; d(offset + scale o) = scale do.
        let slope =
            switch map(quantity) {
            case .affine(_, let scale): Scalar(scale)
            case .exponential: value
            }
        return Jet1(value: value, dx: slope * output(quantity, .x), dy: slope * output(quantity, .y))
    }

    public func jet2(_ quantity: Quantity) -> Jet2 {
        let first = jet1(quantity)
        func second(_ channel: Channel, _ a: Channel, _ b: Channel) -> Scalar {
            switch map(quantity) {
            case .affine(_, let scale): scale * output(quantity, channel)
            case .exponential:
                first.value * (output(quantity, channel) + output(quantity, a) * output(quantity, b))
            }
        }
        return Jet2(
            value: first.value, x: first.dx, y: first.dy, xx: second(.xx, .x, .x), xy: second(.xy, .x, .y),
            yy: second(.yy, .y, .y))
    }

    private func map(_ quantity: Quantity) -> OutputMap {
        guard let map = maps[quantity] else { preconditionFailure("no output map for \(quantity)") }
        return map
    }
}
