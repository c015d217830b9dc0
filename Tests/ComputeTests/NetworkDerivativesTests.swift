import Compute
import Glibc
import Networks
import Pointwise
import TestSupport
import Testing

@Suite("The channels of a network")
struct NetworkDerivativesTests {
    /// Values of all outputs at a place, moved by distances in the equation's coordinates.
    private static func values(_ sample: SampleWorkload, _ x: Double, _ y: Double, _ dx: Double, _ dy: Double)
        -> [Double]
    {
        let slopes = sample.residualProblem.inputSlopes
        return ReferenceBackend(sample.residualProblem).outputs(
            of: .channels(.none, outputs: SampleWorkload.outputs), parameters: sample.parameters.map(Double.init),
            at: [[x + slopes.x * dx], [y + slopes.y * dy]]
        ).map { $0[0] }
    }

    @Test("are the derivatives of its outputs in the equation's coordinates", arguments: [(1, 4), (3, 12), (8, 16)])
    func channels(hiddenLayers: Int, width: Int) {
        let sample = SampleWorkload(hiddenLayers: hiddenLayers, width: width)
        for (x, y) in [(0.3, -0.4), (-0.9, 0.8), (0, 0.05)] {
            for derivatives in [Derivatives.first, .second] {
                let channels = ReferenceBackend(sample.residualProblem).outputs(
                    of: .channels(derivatives, outputs: SampleWorkload.outputs),
                    parameters: sample.parameters.map(Double.init), at: [[x], [y]]
                ).map { $0[0] }
                // Order 8 at 0.01: for a network whose derivatives grow as those of tanh, truncation below 1e-13, rounding
                // 1e-14 in the first and 1e-12 in the second derivatives.
                let step = 0.01
                for output in 0..<SampleWorkload.outputs {
                    func value(_ dx: Double, _ dy: Double) -> Double { Self.values(sample, x, y, dx, dy)[output] }
                    func slope(_ a: (Double, Double), _ f: @escaping (Double, Double) -> Double) -> (Double, Double) ->
                        Double
                    {
                        { dx, dy in Difference.derivative(step: step) { f(dx + a.0 * $0, dy + a.1 * $0) } }
                    }
                    let (alongX, alongY) = (slope((1, 0), value), slope((0, 1), value))
                    var differences = [value(0, 0), alongX(0, 0), alongY(0, 0)]
                    if derivatives == .second {
                        differences += [
                            slope((1, 0), alongX)(0, 0), slope((0, 1), alongX)(0, 0), slope((0, 1), alongY)(0, 0),
                        ]
                    }
                    let count = derivatives.channelCount
                    for (channel, difference) in differences.enumerated() {
                        #expect(abs(channels[output * count + channel] - difference) < 1e-10)
                    }
                }
            }
        }
    }

    @Test("are approached by differences at the differences' own order", arguments: [2, 4])
    func order(order: Int) {
        let sample = SampleWorkload(hiddenLayers: 3, width: 12)
        let channels = ReferenceBackend(sample.residualProblem).outputs(
            of: .channels(.second, outputs: SampleWorkload.outputs), parameters: sample.parameters.map(Double.init),
            at: [[0.3], [-0.4]])
        func error(_ step: Double) -> Double {
            norm(
                (0..<SampleWorkload.outputs).map { output in
                    Difference.derivative(order: order, step: step) { move in
                        Difference.derivative(order: order, step: step) {
                            Self.values(sample, 0.3, -0.4, $0, move)[output]
                        }
                    } - channels[output * 6 + Channel.xy.rawValue][0]
                })
        }
        // The next term is smaller by about the step squared.
        #expect(abs(log2(error(0.08) / error(0.04)) - Double(order)) < 0.2)
    }
}
