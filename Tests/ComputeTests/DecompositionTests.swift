import Compute
import ComputeCPU
import Networks
import Pointwise
import TestSupport
import Testing

private let decompositions = [(1, 1), (1, 2), (3, 1), (2, 2), (3, 4)].map {
    Decomposition(rows: $0.0, columns: $0.1)
}

@Suite("The windows of a decomposition")
struct WindowTests {
    /// Places in the square, on its edge and beyond, many of them on borders and where windows end.
    private static func places(_ decomposition: Decomposition) -> [(x: Double, y: Double)] {
        var numbers = SeededNumbers(seed: 4)
        let special = [-1.5, -1, -0.75, -0.5, -0.0625, 0, 0.125, 1.0 / 3, 0.5, 1, 2]
        return special.flatMap { x in special.map { (x, $0) } }
            + (0..<2000).map { _ in (numbers.next(-1.1..<1.1), numbers.next(-1.1..<1.1)) }
    }

    @Test("are never negative and sum to one, and their derivatives to zero", arguments: decompositions)
    func partitionOfUnity(_ decomposition: Decomposition) {
        var most = 0
        var (lowest, missOfOne, missOfZero) = (1.0, 0.0, 0.0)
        for (x, y) in Self.places(decomposition) {
            let zone = decomposition.zone(x: x, y: y)
            let covering = decomposition.subdomains(covering: zone)
            let windows = covering.map { decomposition.window($0, zone: zone, x: x, y: y) }
            most = max(most, covering.count)
            lowest = min(lowest, windows.map { $0[0] }.min() ?? 0)
            let sum = windows.reduce(SIMD8(repeating: 0), +)
            missOfOne = max(missOfOne, abs(sum[0] - 1))
            missOfZero = max(missOfZero, (1..<6).map { abs(sum[$0]) }.max() ?? 0)
        }
        #expect(lowest > -1e-15)
        #expect(missOfOne < 1e-15)
        // Second derivatives are up to 5.8 / overlap² = 41 for four columns.
        #expect(missOfZero < 1e-12)
        #expect(most == decomposition.maxOverlap)
    }

    @Test("have the derivatives that differences find, across borders too", arguments: decompositions)
    func derivatives(_ decomposition: Decomposition) {
        /// A window as a function on the square: zero where its subdomain does not cover.
        func window(_ subdomain: Int, _ x: Double, _ y: Double) -> SIMD8<Double> {
            let zone = decomposition.zone(x: x, y: y)
            guard decomposition.subdomains(covering: zone).contains(subdomain) else { return SIMD8(repeating: 0) }
            return decomposition.window(subdomain, zone: zone, x: x, y: y)
        }
        var numbers = SeededNumbers(seed: 9)
        for _ in 0..<200 {
            let (x, y) = (numbers.next(), numbers.next())
            for subdomain in 0..<decomposition.count {
                let here = window(subdomain, x, y)
                // Order 2 at 1e-5: the third derivative jumps where a window ends, by 60 / overlap³ = 1e3, which leaves
                // 1e-2 of second derivatives of up to 40.
                func slope(_ channel: Int, _ dx: Double, _ dy: Double) -> Double {
                    Difference.derivative(order: 2, step: 1e-5) {
                        window(subdomain, x + $0 * dx, y + $0 * dy)[channel]
                    }
                }
                #expect(abs(slope(0, 1, 0) - here[1]) < 1e-4)
                #expect(abs(slope(0, 0, 1) - here[2]) < 1e-4)
                #expect(abs(slope(1, 1, 0) - here[3]) < 0.1)
                #expect(abs(slope(1, 0, 1) - here[4]) < 0.1)
                #expect(abs(slope(2, 0, 1) - here[5]) < 0.1)
            }
        }
    }

    @Test("are continuous to the second derivative where a zone ends", arguments: decompositions)
    func continuity(_ decomposition: Decomposition) {
        for subdomain in 0..<decomposition.count {
            // Along a line that is parallel to no border, in steps over which nothing that is continuous moves by much.
            var before = SIMD8<Double>(repeating: 0)
            var zones: Set<Int> = []
            var largest = 0.0
            let steps = 10_000
            for step in 0...steps {
                let x = -1 + 2 * Double(step) / Double(steps)
                let y = 0.8 * x + 0.1
                let zone = decomposition.zone(x: x, y: y)
                zones.insert(zone)
                let covers = decomposition.subdomains(covering: zone).contains(subdomain)
                let here = covers ? decomposition.window(subdomain, zone: zone, x: x, y: y) : SIMD8(repeating: 0)
                if step > 0 { largest = max(largest, (0..<6).map { abs(here[$0] - before[$0]) }.max() ?? 0) }
                before = here
            }
            // A step moves second derivatives by 60 / overlap³ · 2e-4 < 0.25; a jump would be of their own size, 5.8 / overlap² > 10.
            #expect(largest < 0.5)
            #expect(zones.count >= decomposition.rows + decomposition.columns - 1)
        }
    }

    @Test("cover a point as often on average as is told", arguments: decompositions)
    func meanOverlap(_ decomposition: Decomposition) {
        let steps = 400
        var sum = 0
        for i in 0..<steps {
            for j in 0..<steps {
                let x = -1 + (2 * Double(i) + 1) / Double(steps)
                let y = -1 + (2 * Double(j) + 1) / Double(steps)
                sum += decomposition.subdomains(covering: decomposition.zone(x: x, y: y)).count
            }
        }
        // A midpoint rule misses less than a row and a column for each border.
        #expect(abs(Double(sum) / Double(steps * steps) - decomposition.meanOverlap) < 0.03)
    }
}

@Suite("Decomposed networks")
struct DecomposedNetworksTests {
    @Test(
        "that stand for one function of position blend to that function", arguments: decompositions,
        [false, true])
    func identity(_ decomposition: Decomposition, exact: Bool) throws {
        // One network on the square, and the same in every subdomain: its first layer undoes the subdomain's coordinates.
        let shape = Perceptron(hiddenLayers: 2, width: 9, outputs: SampleWorkload.outputs)
        let program = PointProgram.channels(.second, outputs: SampleWorkload.outputs)
        let one = SampleWorkload(NetworkGroup([shape]), programs: [program])
        let group = NetworkGroup([shape], decomposition)
        var parameters: [Float] = []
        for subdomain in 0..<decomposition.count {
            var own = one.parameters
            let center = decomposition.center(of: subdomain)
            for j in 0..<shape.width {
                own[j] = Float(Double(one.parameters[j]) / decomposition.slopes.x)
                own[shape.width + j] = Float(Double(one.parameters[shape.width + j]) / decomposition.slopes.y)
                own[shape.biases(of: 0) + j] += Float(
                    center.x * Double(one.parameters[j]) + center.y * Double(one.parameters[shape.width + j]))
            }
            parameters += own
        }
        let many = SampleWorkload(group, programs: [program])
        let points = SampleWorkload.points(500)
        let expected = ReferenceBackend(one.residualProblem).outputs(
            of: program, parameters: one.parameters.map(Double.init), at: points.columns.map { $0.map(Double.init) })
        let backend: any Backend =
            exact ? ReferenceBackend(many.residualProblem) : CPUBackend(many.residualProblem, threads: 2)
        let found = try backend.outputs(of: program, parameters: parameters, at: points)
        for (channel, exactChannel) in zip(found, expected) {
            // The weights of the subdomains' first layers are rounded to float32, and windows' second derivatives of up to
            // 41 · 1.7² multiply the difference of two networks that should be equal.
            let miss = norm(zip(channel, exactChannel).map { Double($0) - $1 })
            #expect(miss < 5e-5 * (norm(exactChannel) + Double(points.count).squareRoot()))
        }
    }

    @Test(
        "give the reference's sums and gradient, in groups and with Fourier features",
        arguments: decompositions, [1, 40, 700])
    func gradient(_ decomposition: Decomposition, count: Int) throws {
        let sample = SampleWorkload(hiddenLayers: 2, width: 11, split: true, decomposition, deviation: 2)
        let batches = (0..<3).map { SampleWorkload.points(count, seed: UInt64($0)) }
        var gradient: [Float] = []
        let sums = try CPUBackend(sample.residualProblem, threads: 2).squaredResiduals(
            parameters: sample.parameters, batches: batches, coefficients: sample.coefficients, gradient: &gradient)
        let exact = ReferenceBackend(sample.residualProblem).squaredResiduals(
            parameters: sample.parameters.map(Double.init), batches: batches, coefficients: sample.coefficients)
        // As without a decomposition, but for windows' derivatives, which multiply rounding.
        #expect(relativeError(gradient.map(Double.init), exact.gradient) < 2e-5)
        for (sum, exactSum) in zip(sums.joined(), exact.sums.joined()) {
            #expect(abs(sum - exactSum) < 2e-5 * exactSum)
        }
    }

    @Test("have the gradient that differences in double find", arguments: [nil, 2.0])
    func differences(deviation: Double?) {
        let sample = SampleWorkload(
            hiddenLayers: 2, width: 4, split: true, Decomposition(rows: 2, columns: 2), deviation: deviation)
        let reference = ReferenceBackend(sample.residualProblem)
        // Corners of the square and its middle, where four windows meet.
        let places: [Float] = [-0.9, -0.1, 0.02, 0.11, 0.8]
        let batches = (0..<3).map { _ in
            let x = places.flatMap { x in places.map { _ in x } }
            let y = places.flatMap { _ in places }
            return PointBatch(columns: [x, y, y])
        }
        let parameters = sample.parameters.map(Double.init)
        let gradient = reference.squaredResiduals(
            parameters: parameters, batches: batches, coefficients: sample.coefficients
        ).gradient
        // Along random directions of all weights. Steps of 1e-3 in weights of order one that windows' derivatives amplify:
        // order 8 leaves far less than the bound.
        var numbers = SeededNumbers(seed: 12)
        for _ in 0..<5 {
            let direction = numbers.vector(parameters.count)
            let difference = Difference.derivative(step: 1e-3) { step in
                let sums = reference.squaredResiduals(
                    parameters: zip(parameters, direction).map { $0 + step * $1 }, batches: batches,
                    coefficients: sample.coefficients
                ).sums
                return zip(sums.joined(), sample.coefficients.joined()).reduce(0) { $0 + $1.0 * $1.1 }
            }
            #expect(abs(difference - dot(gradient, direction)) < 1e-8 * norm(gradient) * norm(direction))
        }
        #expect(gradient.allSatisfy { $0 != 0 }, "every subdomain has points")
    }

    @Test("give the same bits for any number of threads, and predict a point wherever it stands in a batch")
    func repeats() throws {
        let sample = SampleWorkload(hiddenLayers: 2, width: 8, split: true, Decomposition(rows: 3, columns: 2))
        let batches = (0..<3).map { SampleWorkload.points(900, seed: UInt64($0)) }
        let gradients = try [1, 2, 5].map { threads in
            let backend = CPUBackend(sample.residualProblem, threads: threads)
            // The second evaluation, that slots hold something: other tiles touch other networks.
            var gradient: [Float] = []
            _ = try backend.squaredResiduals(
                parameters: sample.parameters, batches: [batches[2], batches[0], SampleWorkload.points(7)],
                coefficients: sample.coefficients, gradient: &gradient)
            let sums = try backend.squaredResiduals(
                parameters: sample.parameters, batches: batches, coefficients: sample.coefficients, gradient: &gradient)
            return (gradient.map(\.bitPattern), sums)
        }
        for other in gradients.dropFirst() {
            #expect(other.0 == gradients[0].0)
            #expect(other.1 == gradients[0].1)
        }
        let backend = CPUBackend(sample.residualProblem, threads: 2)
        let program = PointProgram.channels(.second, outputs: SampleWorkload.outputs)
        let all = try backend.outputs(of: program, parameters: sample.parameters, at: batches[0])
        for point in [0, 1, 450, 899] {
            let alone = try backend.outputs(
                of: program, parameters: sample.parameters,
                at: PointBatch(columns: batches[0].columns.map { [$0[point]] }))
            #expect(all.map { $0[point] } == alone.map { $0[0] })
        }
    }

    @Test("leave no seam: values and second derivatives are continuous across borders of tiles")
    func seams() {
        let sample = SampleWorkload(hiddenLayers: 2, width: 8, Decomposition(rows: 2, columns: 3))
        let program = PointProgram.channels(.second, outputs: 1)
        // Across the vertical borders at y = 0.3 and the horizontal one: in the middle of the overlap, of 1/2 and 3/4, and at its
        // ends.
        var ramps: [(x: Double, y: Double, along: (Double, Double))] = []
        for place in [-1.0, 0, 1] {
            for border in [-1.0 / 3, 1.0 / 3] { ramps.append((border + place / 4, 0.3, (1, 0))) }
            ramps.append((0.1, place * 3 / 8, (0, 1)))
        }
        for crossing in ramps {
            func channels(_ distance: Double) -> [Double] {
                ReferenceBackend(sample.residualProblem).outputs(
                    of: program, parameters: sample.parameters.map(Double.init),
                    at: [[crossing.x + distance * crossing.along.0], [crossing.y + distance * crossing.along.1]]
                ).map { $0[0] }
            }
            // Third derivatives are up to 60 / overlap³ = 500 times the slopes' third power, 5.
            let (before, after) = (channels(-1e-9), channels(1e-9))
            #expect(zip(before, after).allSatisfy { abs($0 - $1) < 1e-3 })
        }
    }
}
