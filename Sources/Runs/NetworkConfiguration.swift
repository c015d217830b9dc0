import Fields
import Networks

/// The networks of a run: their shapes, the subdomains that have networks of their own, and their Fourier features.
public struct NetworkConfiguration: Sendable, Equatable {
    public var shapes = NetworkShapes()
    public var subdomains = Decomposition.whole
    public var fourier = FourierDeviations()

    public init() {}

    /// From the texts of the options network, subdomains and fourier.
    public init(parsing network: String, subdomains: String = "1x1", fourier: String = "none") throws {
        var configuration = TrainingConfiguration()
        try configuration.set("network", to: network)
        try configuration.set("subdomains", to: subdomains)
        try configuration.set("fourier", to: fourier)
        try configuration.validate()
        self = configuration.network
    }

    /// - Parameters:
    ///   - observed: outputs that are fitted to data; with two networks, those of the first.
    ///   - inferred: outputs that follow from the equations alone.
    ///   - seed: of the run; the Fourier frequencies follow from it.
    func networks(observed: Int, inferred: Int, seed: UInt64) -> NetworkGroup {
        let outputs = shapes.shapes.count == 1 ? [observed + inferred] : [observed, inferred]
        return NetworkGroup(
            shapes.shapes.enumerated().map { number, shape in
                // As many features as the layers are wide.
                let features = fourier.deviation(ofNetwork: number).map {
                    FourierFeatures(
                        count: max(1, shape.width / 2), deviation: $0,
                        seed: mixed(mixed(seed, 1 << 32), UInt64(number)))
                }
                return Perceptron(
                    hiddenLayers: shape.layers, width: shape.width, outputs: outputs[number], fourier: features)
            }, subdomains)
    }
}

/// One network for all unknowns, "8x128", or one for what is observed and one for what is inferred, "6x40+6x40".
public struct NetworkShapes: OptionValue, Equatable {
    public struct Shape: Sendable, Equatable {
        /// Hidden layers, all of the same width.
        public var layers = 8
        public var width = 128
    }

    public static let expected =
        "LAYERSxWIDTH, for example 8x128, or two of them, for example 6x40+6x40: one for what is observed, one for what is inferred; at most 64 layers of width 4096"

    /// One or two.
    public private(set) var shapes = [Shape()]

    public init() {}

    public init?(parsing text: String) {
        shapes = text.split(separator: "+", omittingEmptySubsequences: false).map {
            let (layers, width) = pair($0)
            return Shape(layers: layers, width: width)
        }
        guard shapes.count <= 2,
            shapes.allSatisfy({ (1...64).contains($0.layers) && (1...4096).contains($0.width) })
        else { return nil }
    }

    public var description: String { shapes.map { "\($0.layers)x\($0.width)" }.joined(separator: "+") }
}

extension Decomposition: OptionValue {
    public static let expected = "ROWSxCOLUMNS, for example 2x2, at most 64 of each"

    public init?(parsing text: String) {
        let (rows, columns) = pair(text)
        guard (1...64).contains(rows), (1...64).contains(columns) else { return nil }
        self.init(rows: rows, columns: columns)
    }

    public var description: String { "\(rows)x\(columns)" }
}

/// Standard deviations of the Fourier features' frequencies, "8", or for each of two networks, "none+8".
public struct FourierDeviations: OptionValue, Equatable {
    public static let expected =
        "none, or the standard deviation of the frequencies, above 0 and at most 1000, for example 4; or one for each network, for example none+8"

    /// nil: the network takes the coordinates themselves. One that is given holds for all networks.
    public private(set) var deviations: [Double?] = [nil]

    public init() {}

    public init?(parsing text: String) {
        deviations = text.split(separator: "+", omittingEmptySubsequences: false).map {
            $0 == "none" ? nil : Double($0) ?? .nan
        }
        guard deviations.count <= 2, deviations.allSatisfy({ $0.map { $0 > 0 && $0 <= 1000 } ?? true }) else {
            return nil
        }
    }

    func deviation(ofNetwork number: Int) -> Double? { deviations[min(number, deviations.count - 1)] }

    public var description: String {
        deviations.map { $0.map { $0 == $0.rounded() ? "\(Int($0))" : "\($0)" } ?? "none" }.joined(separator: "+")
    }
}

/// The numbers of "8x128"; zeros for anything else.
private func pair(_ text: some StringProtocol) -> (Int, Int) {
    let numbers = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    return numbers.count == 2 ? (numbers[0], numbers[1]) : (0, 0)
}
