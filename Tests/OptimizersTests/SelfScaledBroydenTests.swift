import Glibc
import TestSupport
import Testing

import Optimizers

/// The update of the inverse Hessian as Urbán et al. (2025) print it, matrix by matrix.
private struct PlainBroyden {
    var h: [[Double]]
    var isScaled = false

    init(_ order: Int) {
        h = (0..<order).map { row in (0..<order).map { $0 == row ? 1 : 0 } }
    }

    func times(_ x: [Double]) -> [Double] { h.map { zip($0, x).reduce(0) { $0 + $1.0 * $1.1 } } }

    mutating func learn(s: [Double], y: [Double], g: [Double], length: Double) {
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        let hy = times(y)
        let (ys, yHy) = (dot(y, s), dot(y, hy))
        let b = -length * dot(s, g) / ys
        let hk = yHy / ys
        let a = b * hk - 1
        let c = sqrt(abs(a / (1 + a)))
        let rhoMinus = min(1, hk * (1 - c))
        let theta = max((rhoMinus - 1) / a, min(1 / rhoMinus, (1 - b) / b))
        let sigma = 1 + theta * a
        let power = pow(abs(sigma), 1 / (1 - Double(s.count)))
        let rho = min(1, 1 / b)
        let tau =
            !isScaled ? hk / sigma : theta <= 0 ? min(rho * power, sigma) : rho * min(power, 1 / theta)
        isScaled = true
        let phi = (1 - theta) / sigma
        let v = zip(s, hy).map { $0 / ys - $1 / yHy }
        for i in h.indices {
            for j in h.indices {
                h[i][j] = (h[i][j] - hy[i] * hy[j] / yHy + phi * yHy * v[i] * v[j]) / tau + s[i] * s[j] / ys
            }
        }
    }
}

@Suite("Self-scaled Broyden")
struct SelfScaledBroydenTests {
    private static let start = (0..<23).map { Float($0 % 2 == 0 ? -1.2 : 1) + Float($0) / 50 }

    /// Steps on Rosenbrock's valley.
    private static func run(
        _ optimizer: inout SelfScaledBroyden, _ x: inout [Float], _ steps: Int,
        _ each: ([Float], [Float]) throws -> Void = { _, _ in }
    ) throws {
        var gradient: [Float] = []
        for _ in 0..<steps {
            let loss = QuasiNewtonTests.rosenbrock(x, &gradient)
            try each(x, gradient)
            _ = try optimizer.step(&x, loss: loss, gradient: gradient) { QuasiNewtonTests.rosenbrock($0, &$1) }
        }
    }

    @Test("goes where the inverse Hessian of the paper points, step after step")
    func paper() throws {
        var x = Self.start
        var optimizer = SelfScaledBroyden(parameterCount: x.count, options: OptimizerOptions())
        var plain = PlainBroyden(x.count)
        var before: (x: [Double], g: [Double], direction: [Double])?
        var compared = 0
        try Self.run(&optimizer, &x, 40) { x, gradient in
            let (x, g) = (x.map(Double.init), gradient.map(Double.init))
            if let before {
                let s = zip(x, before.x).map { $0 - $1 }
                let length = sqrt(s.reduce(0) { $0 + $1 * $1 } / before.direction.reduce(0) { $0 + $1 * $1 })
                // The move is along the plain direction, to what a matrix and parameters in float32 resolve of it.
                let far = zip(s, before.direction).map { abs($0 - length * $1) }.max()!
                #expect(far < 2e-2 * s.map(abs).max()! + 3e-7, "step \(compared)")
                plain.learn(s: s, y: zip(g, before.g).map { $0 - $1 }, g: before.g, length: length)
                compared += 1
            }
            before = (x, g, plain.times(g).map { -$0 })
        }
        #expect(compared == 39)
    }

    @Test(
        "has the same bits on any number of threads, and when its state was saved and put back",
        arguments: [1, 2, 3, 40])
    func bits(threads: Int) throws {
        var alone = SelfScaledBroyden(parameterCount: Self.start.count, options: OptimizerOptions())
        var x = Self.start
        try Self.run(&alone, &x, 30)

        var options = OptimizerOptions()
        options.threads = threads
        var first = SelfScaledBroyden(parameterCount: Self.start.count, options: options)
        var y = Self.start
        try Self.run(&first, &y, 11)
        var second = SelfScaledBroyden(parameterCount: Self.start.count, options: options)
        second.state = first.state
        try Self.run(&second, &y, 19)
        #expect(x.map(\.bitPattern) == y.map(\.bitPattern))
        #expect(second.state == alone.state)
    }

    @Test("keeps its matrix and follows the new gradient when the points change")
    func change() throws {
        var optimizer = SelfScaledBroyden(parameterCount: Self.start.count, options: OptimizerOptions())
        var x = Self.start
        try Self.run(&optimizer, &x, 10)
        let before = x
        let direction = try #require(optimizer.stored.doubles["direction"])
        optimizer.batchDidChange()
        // Three times the loss: as H stays, the first trial is three times as far along what was the next direction.
        func thrice(_ x: [Float], _ gradient: inout [Float]) -> Double {
            let loss = 3 * QuasiNewtonTests.rosenbrock(x, &gradient)
            gradient = gradient.map { 3 * $0 }
            return loss
        }
        var gradient: [Float] = []
        var trials: [[Float]] = []
        _ = try optimizer.step(&x, loss: thrice(x, &gradient), gradient: gradient) { x, gradient in
            trials.append(x)
            return thrice(x, &gradient)
        }
        let moved = zip(try #require(trials.first), before).map { Double($0) - Double($1) }
        let far = zip(moved, direction).map { abs($0 - 3 * $1) }.max()!
        // What float32 parameters resolve.
        #expect(far < 1e-4 * moved.map(abs).max()! + 3e-7)
    }
}
