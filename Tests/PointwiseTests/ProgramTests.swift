import Glibc
import Pointwise
import TestSupport
import Testing

/// The operations common to Double and Scalar, so that an expression runs as plain Swift and is traced as a program.
private protocol Numeral {
    init(_ constant: Double)
    static func + (a: Self, b: Self) -> Self
    static func - (a: Self, b: Self) -> Self
    static func * (a: Self, b: Self) -> Self
    static func / (a: Self, b: Self) -> Self
    prefix static func - (a: Self) -> Self
    func squareRoot() -> Self
    func exponential() -> Self
}

extension Double: Numeral {
    fileprivate func exponential() -> Double { exp(self) }
}

extension Scalar: Numeral {
    fileprivate func exponential() -> Scalar { exp(self) }
}

/// Random straight-line code of 40 steps on values that stay of order one; a result for each input.
private func randomExpressions<T: Numeral>(_ inputs: [T], seed: UInt64) -> [T] {
    var numbers = SeededNumbers(seed: seed)
    var values = inputs + [T(0.7), T(-1.3), T(0), T(1)]
    for _ in 0..<40 {
        let a = values[numbers.next(below: values.count)]
        let b = values[numbers.next(below: values.count)]
        let constant = T(numbers.next())
        let tamed = a / (T(1) + a * a).squareRoot()
        let next: T =
            switch numbers.next(below: 9) {
            case 0: tamed + b
            case 1: b - tamed
            case 2: tamed * b
            case 3: a / (b * b + T(1.5))
            case 4: tamed.exponential()
            case 5: (a * a + T(0.5)).squareRoot() - constant
            case 6: constant * b + a * T(0.5)
            case 7: constant / (T(2) - tamed)
            default: -b + constant
            }
        // Keeps values bounded.
        values.append(next / (T(1) + T(0.1) * next * next).squareRoot())
    }
    // Each result contains one input directly, so that all are used.
    return zip(values.suffix(inputs.count), inputs).map { $0 + T(0.25) * $1 }
}

@Suite("A recorded program")
struct ProgramTests {
    private static let names: [Input] = [
        .column(2), .channel(output: 0, .value), .channel(output: 3, .xy), .column(7), .channel(output: 1, .y),
    ]

    /// The program, and a function that picks the inputs it reads, in its order, from the values of all five.
    private static func random(seed: UInt64) -> (program: Program, inputs: ([Double]) -> [Double]) {
        let program = Program.recording { tracer in randomExpressions(names.map { tracer.input($0) }, seed: seed) }
        return (program, { values in program.inputs.map { values[names.firstIndex(of: $0)!] } })
    }

    @Test("evaluates as the plain Swift expression does", arguments: UInt64(1)...40)
    func evaluates(seed: UInt64) {
        let (program, inputs) = Self.random(seed: seed)
        var numbers = SeededNumbers(seed: 1000 + seed)
        for _ in 0..<10 {
            let values = numbers.vector(Self.names.count, -2..<2)
            let plain = randomExpressions(values, seed: seed)
            // The order of a sum's operands and a − c as a + (−c) change no bit; a / c as a · (1/c) and c − a as −a + c
            // differ by a rounding error or two, which propagate through 40 steps of order one.
            #expect(relativeError(program.evaluate(inputs(values)).outputs, plain) < 1e-14)
        }
    }

    @Test("has the adjoint of its Jacobian: ⟨J v, w⟩ = ⟨v, Jᵀ w⟩", arguments: UInt64(1)...40)
    func adjoint(seed: UInt64) {
        let (program, inputs) = Self.random(seed: seed)
        var numbers = SeededNumbers(seed: 2000 + seed)
        let point = inputs(numbers.vector(Self.names.count))
        let w = numbers.vector(program.outputs.count)
        let product = program.adjoint(slots: program.evaluate(point).slots, outputBars: w)
        // J column by column, so that a mistake in one cannot hide behind another; order 8 at 1e-3 of compositions
        // whose derivatives stay moderate: rounding error 1e-13, negligible truncation error.
        let columns = point.indices.map { column in
            Difference.derivative(step: 1e-3) { move in
                var moved = point
                moved[column] += move
                return dot(program.evaluate(moved).outputs, w)
            }
        }
        #expect(norm(zip(product, columns).map { $0 - $1 }) < 1e-10 * (1 + norm(product)))
        let v = numbers.vector(point.count)
        let along = Difference.derivative(step: 1e-3) { move in
            dot(program.evaluate(zip(point, v).map { $0 + move * $1 }).outputs, w)
        }
        #expect(abs(along - dot(v, product)) < 1e-10 * (1 + norm(product)))
    }

    @Test("adds the adjoints of a value that is returned twice, or is an input itself")
    func repeatedOutputs() {
        let program = Program.recording { tracer in
            let a = tracer.input(.column(0))
            let square = a * a
            return [square, a, square, Scalar(4)]
        }
        let run = program.evaluate([3])
        #expect(run.outputs == [9, 3, 9, 4])
        #expect(program.adjoint(slots: run.slots, outputBars: [1, 10, 100, 1000]) == [6 * 101 + 10])
    }

    @Test("folds constants")
    func constantsFold() {
        func operations(_ body: (Scalar) -> Scalar) -> [OperationKind] {
            Program.recording { [body($0.input(.column(0)))] }.operations.map(\.kind)
        }
        #expect(operations { $0 + Scalar(0) }.isEmpty)
        #expect(operations { Scalar(0) + $0 }.isEmpty)
        #expect(operations { $0 - Scalar(0) }.isEmpty)
        #expect(operations { 1 * $0 }.isEmpty)
        #expect(operations { $0 * Scalar(1) }.isEmpty)
        #expect(operations { $0 / Scalar(1) }.isEmpty)
        #expect(operations { $0 + (Scalar(2) * Scalar(3) - exp(Scalar(0))) / Scalar(4).squareRoot() } == [.addConstant])
        #expect(operations { (Scalar(2) * Scalar(3)) * $0 } == [.multiplyConstant])
        #expect(operations { $0 / Scalar(4) } == [.multiplyConstant])
        #expect(operations { Scalar(4) / $0 } == [.constant, .divide])
        #expect(operations { 0 * $0 } == [.constant])

        let five = Program.recording { _ in [exp(Scalar(0)) + Scalar(16).squareRoot()] }
        #expect(five.operations.map(\.kind) == [.constant])
        #expect(five.evaluate(five.inputs.map { _ in .nan }).outputs == [5])
    }

    @Test("computes a common subexpression once, and nothing that is unused")
    func commonExpressions() {
        let program = Program.recording { tracer in
            let a = tracer.input(.column(0))
            let b = tracer.input(.column(1))
            _ = tracer.input(.column(5)) / a
            let again = tracer.input(.column(0))
            return [exp(a * b), exp(b * again), a + b, b + a, a - b, b - a, 2 * a, a * Scalar(2)]
        }
        #expect(program.inputs == [.column(0), .column(1)])
        #expect(
            program.operations.map(\.kind) == [
                .multiply, .exponential, .add, .subtract, .subtract, .multiplyConstant,
            ])
        #expect(program.evaluate([0.5, 3]).outputs == [exp(1.5), exp(1.5), 3.5, 3.5, -2.5, 2.5, 1, 1])
    }

    @Test("declares the derivatives that it reads, and not those it only mentions")
    func derivatives() {
        func asking(_ channels: Channel..., mentioning: Channel = .value) -> Derivatives {
            Program.recording { tracer in
                _ = exp(tracer.input(.channel(output: 1, mentioning)))
                return channels.map { 2 * tracer.input(.channel(output: 0, $0)) } + [tracer.input(.column(2))]
            }.derivatives
        }
        #expect(asking() == .none)
        #expect(asking(.value) == .none)
        #expect(asking(.x) == .first)
        #expect(asking(.value, .y) == .first)
        for channel in [Channel.xx, .xy, .yy] { #expect(asking(channel) == .second) }
        #expect(asking(.yy, .value, .x) == .second)
        #expect(asking(.x, mentioning: .xx) == .first)
        #expect([Derivatives.none, .first, .second].map(\.channelCount) == [1, 3, 6])
    }
}
