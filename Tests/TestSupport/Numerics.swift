import Fields
import Glibc
import PointStore

/// Pseudorandom numbers, the same on every machine.
public struct SeededNumbers {
    public let seed: UInt64
    private var count: UInt64 = 0

    public init(seed: UInt64) { self.seed = seed }

    public mutating func next(_ range: Range<Double> = -1..<1) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * unitInterval(bits())
    }

    public mutating func next(below bound: Int) -> Int { Int(bits() % UInt64(bound)) }

    public mutating func vector(_ count: Int, _ range: Range<Double> = -1..<1) -> [Double] {
        (0..<count).map { _ in next(range) }
    }

    private mutating func bits() -> UInt64 {
        count += 1
        return mixed(seed, count)
    }
}

/// Central differences of even order in double precision: derivatives independent of the code under test.
public enum Difference {
    /// Weights of f(+k) − f(−k), k = 1, 2, ..., for the first derivative (Fornberg 1988, table 1).
    private static let weights: [Int: [Double]] = [
        2: [1.0 / 2], 4: [2.0 / 3, -1.0 / 12], 6: [3.0 / 4, -3.0 / 20, 1.0 / 60],
        8: [4.0 / 5, -1.0 / 5, 4.0 / 105, -1.0 / 280],
    ]

    /// f′(0). At order 8 and a step of 0.02, for functions and wave numbers of order one, the truncation error is about
    /// 1e-16 and the rounding error 1e-14.
    public static func derivative(order: Int = 8, step: Double, _ f: (Double) -> Double) -> Double {
        weights[order]!.enumerated().reduce(0) { sum, each in
            let distance = Double(each.offset + 1) * step
            return sum + each.element * (f(distance) - f(-distance))
        } / step
    }
}

public func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
public func norm(_ a: [Double]) -> Double { dot(a, a).squareRoot() }

/// Relative error ‖a − b‖ / ‖b‖; zero if both are zero.
public func relativeError(_ a: [Double], _ b: [Double]) -> Double {
    precondition(a.count == b.count)
    let miss = norm(zip(a, b).map { $0.0 - $0.1 })
    return miss == 0 ? 0 : miss / norm(b)
}

/// A smooth function of position with known derivatives of any order: Σ amplitude · sin(a x + b y + phase), plus a
/// mean.
public struct Waves: Sendable {
    private let mean: Double
    private let terms: [(amplitude: Double, a: Double, b: Double, phase: Double)]

    /// Wave numbers between −2 and 2.
    public init(seed: UInt64, mean: Double = 0, amplitude: Double = 0.3, count: Int = 3) {
        var numbers = SeededNumbers(seed: seed)
        self.mean = mean
        terms = (0..<count).map { _ in
            (amplitude * numbers.next(0.5..<1), numbers.next(-2..<2), numbers.next(-2..<2), numbers.next(0..<6))
        }
    }

    public func callAsFunction(_ x: Double, _ y: Double) -> Double { derivative(0, 0, x, y) }

    /// The derivative of order m in x and n in y: each derivative shifts the sine's phase by π/2 and multiplies by the wave number.
    public func derivative(_ m: Int, _ n: Int, _ x: Double, _ y: Double) -> Double {
        terms.reduce(m + n == 0 ? mean : 0) { sum, term in
            let turned = term.a * x + term.b * y + term.phase + Double(m + n) * .pi / 2
            return sum + term.amplitude * pow(term.a, Double(m)) * pow(term.b, Double(n)) * sin(turned)
        }
    }
}
