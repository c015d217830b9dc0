import Compute
import ComputeCPU
import Fields
import Glibc
import Networks
import Physics
import PointStore
import Pointwise
import TestSupport
import Testing

/// The loss and gradient of an implementation that shares nothing with this one: Scripts/reference-loss.py, JAX in float64,
/// divergence of the stress by nested automatic differentiation. The cases below are its output of
///
///     python3 -m venv v && v/bin/pip install jax==0.10.2 && v/bin/python Scripts/reference-loss.py
///
/// The problem is that of DIFFICE_jax's tests of speed: as much misfit as equation, plain output maps.
@Suite("The loss of an independent implementation")
struct IndependentLossTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let hiddenLayers: Int
        let width: Int
        let loss: Double
        /// Derivative along `direction`: every entry of the gradient is in it.
        let along: Double
        let norm: Double
        let gradient: [Int: Double]
        var testDescription: String { "\(hiddenLayers)x\(width)" }
    }

    static let cases = [
        Case(
            hiddenLayers: 2, width: 8, loss: 5.613342188109577, along: -37.231712475000606, norm: 43.40331372614938,
            gradient: [
                0: -9.038171793033962, 21: 4.98968795875454, 43: 0.6777198322240471, 65: -2.3606284747958344,
                87: 4.137331692007814, 109: 0.10951763352410025, 131: 5.788876412975139,
            ]),
        Case(
            hiddenLayers: 4, width: 32, loss: 1.7128506586722354, along: -8.487258597576805, norm: 8.40871664894726,
            gradient: [
                0: 0.04641378428514664, 565: -0.05613921903824092, 1131: -0.5717568225683611,
                1697: -0.06835290162658773, 2263: -5.446570201336613e-05, 2829: 0.01617974630744224,
                3395: 0.007530583463642802,
            ]),
        Case(
            hiddenLayers: 8, width: 128, loss: 1.5792711640411126, along: 9.783056307112671, norm: 10.219515091653044,
            gradient: [
                0: -0.005355977775005095, 19413: -0.001538141685550122, 38827: 0.00964546002880338,
                58241: 0.0006958203821742903, 77655: -0.0029886419572354127, 97069: -0.0025261469605428583,
                116483: 3.49206432228414e-05,
            ]),
    ]

    /// In [−1, 1), a multiple of 2⁻²³: the same number in every precision and language.
    private static func fraction(_ seed: UInt64, _ number: Int) -> Float {
        2 * (Float(mixed(seed, UInt64(number)) >> 40) * 0x1p-24) - 1
    }

    private static func parameters(_ network: Perceptron) -> [Float] {
        var parameters: [Float] = []
        for layer in 0..<network.layerCount {
            let (inputs, outputs) = (network.inputs(of: layer), network.outputs(of: layer))
            let bits = Int.bitWidth - (inputs + outputs).leadingZeroBitCount
            let reach = exp2f(Float(1 - (bits - 1) / 2))
            for _ in 0..<inputs * outputs { parameters.append(reach * fraction(2024, parameters.count)) }
            for _ in 0..<outputs { parameters.append(fraction(2024, parameters.count) / 8) }
        }
        return parameters
    }

    private static let points: PointBatch = {
        let x = (0..<48).map { fraction(7, 2 * $0) }
        let y = (0..<48).map { fraction(7, 2 * $0 + 1) }
        return PointBatch(columns: [
            x, y, x.map { Float(sin(Double($0))) }, y.map { Float(cos(Double($0))) },
            x.map { Float(1 + 0.1 * Double($0)) },
        ])
    }()

    private static let program = PointProgram(
        Program.recording { tracer in
            let plain = OutputMap.affine(offset: 0, scale: 1)
            let point = FieldPoint(
                tracer: tracer, unknowns: [.velocityX, .velocityY, .thickness, .viscosity],
                maps: [.velocityX: plain, .velocityY: plain, .thickness: plain, .viscosity: .exponential],
                columns: ["x", "y", "u", "v", "h"])
            return [
                point.value(.velocityX) - point.column("u"), point.value(.velocityY) - point.column("v"),
                point.value(.thickness) - point.column("h"),
            ] + ShallowShelf().residuals(at: point)
        })

    private static func run(_ backend: any Backend, _ parameters: [Float]) throws -> (loss: Double, gradient: [Double])
    {
        let count = Double(points.count)
        let coefficients = [1, 1, 1, 0.05, 0.05].map { $0 / count }
        var gradient: [Float] = []
        let sums = try backend.squaredResiduals(
            parameters: parameters, batches: [points], coefficients: [coefficients], gradient: &gradient)
        return (dot(sums[0], coefficients), gradient.map(Double.init))
    }

    private static func network(_ reference: Case) -> Perceptron {
        Perceptron(hiddenLayers: reference.hiddenLayers, width: reference.width, outputs: 4)
    }

    /// `bound`: relative to the loss, and to the gradient's norm.
    private func compare(_ reference: Case, with backend: any Backend, _ parameters: [Float], bound: Double) throws {
        let (loss, gradient) = try Self.run(backend, parameters)
        #expect(abs(loss - reference.loss) < bound * reference.loss)
        #expect(abs(norm(gradient) - reference.norm) < bound * reference.norm)
        for (place, expected) in reference.gradient {
            #expect(abs(gradient[place] - expected) < bound * reference.norm, "entry \(place)")
        }
        let direction = gradient.indices.map { Double(Self.fraction(99, $0)) }
        #expect(abs(dot(gradient, direction) - reference.along) < bound * reference.norm * norm(direction))
    }

    @Test("is the reference's, to the float32 that a gradient is handed over in", arguments: cases)
    func reference(reference: Case) throws {
        let network = Self.network(reference)
        let residualProblem = ResidualProblem(
            networks: NetworkGroup(network), inputSlopes: (1, 1), programs: [Self.program])
        // A rounding of float32 an entry; the loss itself stays in double.
        let parameters = Self.parameters(network)
        try compare(reference, with: ReferenceBackend(residualProblem), parameters, bound: 1e-7)
        let loss = try Self.run(ReferenceBackend(residualProblem), parameters).loss
        #expect(abs(loss - reference.loss) < 1e-12 * reference.loss)
    }

    @Test("is that of the CPU backend, to float32", arguments: cases)
    func cpu(reference: Case) throws {
        let network = Self.network(reference)
        let residualProblem = ResidualProblem(
            networks: NetworkGroup(network), inputSlopes: (1, 1), programs: [Self.program])
        // Nine layers of float32, sums of 48 points: some tens of roundings of 6e-8.
        try compare(reference, with: CPUBackend(residualProblem, threads: 2), Self.parameters(network), bound: 5e-6)
    }
}
