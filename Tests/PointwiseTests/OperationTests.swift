import Glibc
import Pointwise
import TestSupport
import Testing

@Suite("An operation of the table")
struct OperationTests {
    /// The definition of each operation, written independently.
    private static func meaning(_ kind: OperationKind, _ a: Double, _ b: Double, _ c: Double) -> Double {
        switch kind {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        case .addConstant: c + a
        case .multiplyConstant: c * a
        case .exponential: exp(a)
        case .squareRoot: sqrt(a)
        case .power: exp(c * log(a))
        case .constant: c
        }
    }

    @Test("has the value of its name and the partial derivatives of its differences", arguments: OperationKind.allCases)
    func valueAndPartials(kind: OperationKind) {
        var numbers = SeededNumbers(seed: 11)
        for trial in 0..<50 {
            // Away from zero, where ÷ and √ have no derivative; of both signs where the domain allows it.
            let sign: Double = kind == .squareRoot || kind == .power || trial % 2 == 0 ? 1 : -1
            let (a, b, c) = (sign * numbers.next(0.5..<2), -sign * numbers.next(0.5..<2), numbers.next())
            let value = kind.value(a, b, c)
            // All but the power by the same operation: a rounding of exp, log and pow each.
            #expect(abs(value - Self.meaning(kind, a, b, c)) <= (kind == .power ? 4 * abs(value) * .ulpOfOne : 0))
            let partials = kind.partials(a, b, c, value: value)
            let differences = (
                Difference.derivative(step: 5e-3) { kind.value(a + $0, b, c) },
                Difference.derivative(step: 5e-3) { kind.value(a, b + $0, c) }
            )
            // Order 8 at 0.005 from 0.5: truncation 1e-14 for √ and ÷, rounding 1e-13 of values up to 8.
            #expect(abs(partials.0 - differences.0) < 1e-11, "∂a at a \(a), b \(b)")
            #expect(abs(partials.1 - differences.1) < 1e-11, "∂b at a \(a), b \(b)")
        }
    }

    @Test("depends on as many operands as it declares", arguments: OperationKind.allCases)
    func operandCount(kind: OperationKind) {
        let (a, b) = (1.5, 0.7)
        let ofA = kind.value(a, b, 2) != kind.value(a + 1, b, 2)
        let ofB = kind.value(a, b, 2) != kind.value(a, b + 1, 2)
        #expect(kind.operandCount == (ofA ? 1 : 0) + (ofB ? 1 : 0))
    }
}
