import CKernels
import Compute
import ComputeCPU
import Glibc
import Networks
import Pointwise
import TestSupport
import Testing

@Suite("Fourier features")
struct FourierTests {
    @Test("give the derivatives that differences find", arguments: [0.5, 4])
    func channels(deviation: Double) {
        let sample = SampleWorkload(hiddenLayers: 2, width: 12, deviation: deviation)
        let reference = ReferenceBackend(sample.residualProblem)
        let parameters = sample.parameters.map(Double.init)
        let slopes = sample.residualProblem.inputSlopes
        func values(_ derivatives: Derivatives, _ dx: Double, _ dy: Double) -> [Double] {
            reference.outputs(
                of: .channels(derivatives, outputs: SampleWorkload.outputs), parameters: parameters,
                at: [[0.3 + slopes.x * dx], [-0.4 + slopes.y * dy]]
            ).map { $0[0] }
        }
        let channels = values(.second, 0, 0)
        // Frequencies of up to 3 deviations times a slope of 1.7: at order 8 the step keeps truncation below 1e-10.
        let step = 0.02 / deviation
        for output in 0..<SampleWorkload.outputs {
            func slope(_ dx: Double, _ dy: Double, _ f: (Double, Double) -> Double) -> Double {
                Difference.derivative(step: step) { f($0 * dx, $0 * dy) }
            }
            let value = { (dx: Double, dy: Double) in values(.none, dx, dy)[output] }
            let differences = [
                value(0, 0), slope(1, 0, value), slope(0, 1, value),
                slope(1, 0) { x, y in slope(1, 0) { value(x + $0, y + $1) } },
                slope(0, 1) { x, y in slope(1, 0) { value(x + $0, y + $1) } },
                slope(0, 1) { x, y in slope(0, 1) { value(x + $0, y + $1) } },
            ]
            for (channel, difference) in differences.enumerated() {
                let found = channels[output * 6 + channel]
                #expect(abs(found - difference) < 1e-6 * (1 + abs(found)))
            }
        }
    }

    @Test(
        "agree with the reference on every instruction set that this machine has", arguments: [1, 2, 9, 40, 128],
        [1, 70])
    func instructionSets(width: Int, count: Int) throws {
        let sample = SampleWorkload(hiddenLayers: 3, width: width, deviation: 3)
        let batches = (0..<3).map { SampleWorkload.points(count, seed: UInt64($0)) }
        let exact = ReferenceBackend(sample.residualProblem).squaredResiduals(
            parameters: sample.parameters.map(Double.init), batches: batches, coefficients: sample.coefficients)
        for kernels in TileKernels.available {
            var gradient: [Float] = []
            let sums = try CPUBackend(sample.residualProblem, threads: 2, kernels: kernels).squaredResiduals(
                parameters: sample.parameters, batches: batches, coefficients: sample.coefficients, gradient: &gradient)
            // Angles of ten radians are rounded to 5e-7, and frequencies multiply that twice in the second derivatives. A
            // residual at one point may happen to be small.
            #expect(relativeError(gradient.map(Double.init), exact.gradient) < 1e-5)
            let scale = exact.sums.joined().max() ?? 0
            for (sum, exactSum) in zip(sums.joined(), exact.sums.joined()) {
                #expect(abs(sum - exactSum) < 1e-5 * (exactSum + 0.01 * scale))
            }
        }
    }

    @Test("have sines and cosines within 1e-7 of the true ones up to 8000", arguments: 0..<tile_kernels_count())
    func sines(number: Int) {
        let kernels = tile_kernels_at(number)!.pointee
        let width = 64
        // One feature of frequency one, and its derivative along x, the cosine.
        let frequencies = [Float](repeating: 1, count: width) + [Float](repeating: 0, count: 2 * width)
        var largest = 0.0
        var numbers = SeededNumbers(seed: 2)
        let angles =
            (0..<20_000).map { Float(numbers.next(-8000..<8000) * ($0 % 2 == 0 ? 1 : 1e-3)) } + [0, .pi, -.pi / 2]
        var a = [Float](repeating: 0, count: 3 * width)
        for angle in angles {
            kernels.encode([angle], [0], 1, 3, width, width, frequencies, 1, 1, &a)
            largest = max(largest, abs(Double(a[0]) - sin(Double(angle))), abs(Double(a[width]) - cos(Double(angle))))
        }
        #expect(largest < 1e-7)
        kernels.encode([.nan], [0], 1, 3, width, width, frequencies, 1, 1, &a)
        #expect(a[0].isNaN && a[width].isNaN)
    }

    @Test("are a function of the seed, normal with the deviation that is asked for")
    func seeds() {
        let features = FourierFeatures(count: 4000, deviation: 3, seed: 1)
        #expect(features == FourierFeatures(count: 4000, deviation: 3, seed: 1))
        #expect(features != FourierFeatures(count: 4000, deviation: 3, seed: 2))
        let values = features.frequencies.flatMap { [Double($0.x), Double($0.y)] }
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        // Four standard errors of 8000 numbers.
        #expect(abs(mean) < 4 * 3 / Double(values.count).squareRoot())
        #expect(abs(variance / 9 - 1) < 4 * (2 / Double(values.count)).squareRoot())
    }
}
