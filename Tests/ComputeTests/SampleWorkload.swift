import Compute
import ComputeCPU
import Networks
import Pointwise
import TestSupport

/// A network of three outputs and a program for every order of derivatives, each with a column of its own; no physics,
/// but every operation of the table and every channel.
struct SampleWorkload {
    let residualProblem: ResidualProblem
    let parameters: [Float]
    static let outputs = 3

    /// `split`: outputs 0 and 1 from one network, output 2 from another of other depth and width. `deviation`: of the
    /// frequencies of Fourier features, for the last network.
    init(
        hiddenLayers: Int, width: Int, split: Bool = false, _ decomposition: Decomposition = .whole,
        deviation: Double? = nil, programs: [PointProgram] = [.sample(.none), .sample(.first), .sample(.second)]
    ) {
        let fourier = deviation.map { FourierFeatures(count: max(1, width / 2), deviation: $0, seed: 8) }
        let networks =
            split
            ? [
                Perceptron(hiddenLayers: hiddenLayers, width: width, outputs: Self.outputs - 1),
                Perceptron(hiddenLayers: hiddenLayers + 1, width: width + 3, outputs: 1, fourier: fourier),
            ] : [Perceptron(hiddenLayers: hiddenLayers, width: width, outputs: Self.outputs, fourier: fourier)]
        self.init(NetworkGroup(networks, decomposition), programs: programs)
    }

    init(_ networks: NetworkGroup, programs: [PointProgram]) {
        residualProblem = ResidualProblem(networks: networks, inputSlopes: (x: 1.7, y: 0.6), programs: programs)
        var numbers = SeededNumbers(seed: UInt64(networks.networks[0].width))
        // Biases too, so that nothing is at a symmetric place.
        parameters = networks.initialParameters(seed: 3).map { $0 == 0 ? Float(numbers.next(-0.3..<0.3)) : $0 }
    }

    static func points(_ count: Int, seed: UInt64 = 5) -> PointBatch {
        var numbers = SeededNumbers(seed: seed)
        return PointBatch(columns: (0..<3).map { _ in numbers.vector(count).map(Float.init) })
    }

    /// Coefficients of the squared residuals, all different.
    var coefficients: [[Double]] {
        residualProblem.programs.enumerated().map { number, program in
            program.program.outputs.indices.map { 0.1 + 0.07 * Double(number) + 0.03 * Double($0) }
        }
    }

    /// All backends there are, each new.
    var backends: [any Backend] {
        [
            ReferenceBackend(residualProblem), CPUBackend(residualProblem, threads: 1),
            CPUBackend(residualProblem, threads: 3),
        ]
    }
}

extension PointProgram {
    static func sample(_ derivatives: Derivatives) -> PointProgram {
        PointProgram(
            Program.recording { tracer in
                func o(_ output: Int, _ channel: Channel = .value) -> Scalar {
                    tracer.input(.channel(output: output, channel))
                }
                let column = tracer.input(.column(2))
                var residuals = [o(0) * o(1) + column, exp(0.3 * o(2)) - o(0) * column]
                if derivatives >= .first {
                    residuals[0] = residuals[0] + o(0, .x) * o(1, .y) - o(2, .y)
                    residuals.append(o(2, .x) / (o(1, .x) * o(1, .x) + Scalar(2)) + o(0, .y))
                }
                if derivatives >= .second {
                    residuals[1] = residuals[1] + o(2, .xy) * o(0, .xx) - o(1, .yy)
                    residuals.append((Scalar(1) + o(1, .xx) * o(1, .xx)).squareRoot() - o(2, .yy) * o(0, .xy))
                    residuals.append(o(0, .yy) + o(1, .xy) - o(2, .xx))
                }
                return residuals
            })
    }

    /// Every channel of every output, output by output.
    static func channels(_ derivatives: Derivatives, outputs: Int) -> PointProgram {
        PointProgram(
            Program.recording { tracer in
                (0..<outputs).flatMap { output in
                    Channel.allCases.prefix(derivatives.channelCount).map {
                        tracer.input(.channel(output: output, $0))
                    }
                }
            })
    }
}
