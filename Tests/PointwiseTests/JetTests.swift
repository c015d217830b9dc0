import Glibc
import Pointwise
import TestSupport
import Testing

@Suite("Arithmetic of jets")
struct JetTests {
    private static let f = Waves(seed: 1, mean: 1)
    private static let g = Waves(seed: 2, mean: -0.5)

    /// Orders of the derivatives in x and y, in the order of the channels: columns 0 to 5 are f's, 6 to 11 are g's.
    private static let orders = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]

    private static func evaluate(
        _ x: Double, _ y: Double, _ body: (Jet2, Jet2) -> Jet1
    ) -> (value: Double, dx: Double, dy: Double) {
        let program = Program.recording { tracer in
            func jet(_ first: Int) -> Jet2 {
                let c = (0..<6).map { tracer.input(.column(first + $0)) }
                return Jet2(value: c[0], x: c[1], y: c[2], xx: c[3], xy: c[4], yy: c[5])
            }
            let result = body(jet(0), jet(6))
            return [result.value, result.dx, result.dy]
        }
        let columns = [f, g].flatMap { field in orders.map { field.derivative($0.0, $0.1, x, y) } }
        let inputs = program.inputs.map { input in
            guard case .column(let number) = input else { return Double.nan }
            return columns[number]
        }
        let outputs = program.evaluate(inputs).outputs
        return (outputs[0], outputs[1], outputs[2])
    }

    private static func jet1(_ jet: Jet2) -> Jet1 { Jet1(value: jet.value, dx: jet.dx.value, dy: jet.dy.value) }

    /// The value of an expression of jets is that of numbers, and its derivatives are the differences of its values.
    private func check(
        _ label: Comment, _ body: (Jet2, Jet2) -> Jet1, is plain: (_ x: Double, _ y: Double) -> Double
    ) {
        for (x, y) in [(0.0, 0.0), (0.3, -0.8), (-1.1, 0.4)] {
            let here = Self.evaluate(x, y, body)
            // The same operations in the same order.
            #expect(here.value == plain(x, y), label)
            // Order 8 at 0.02 (see `Difference`).
            #expect(abs(here.dx - Difference.derivative(step: 0.02) { plain(x + $0, y) }) < 1e-12, label)
            #expect(abs(here.dy - Difference.derivative(step: 0.02) { plain(x, y + $0) }) < 1e-12, label)
        }
    }

    @Test("follows the sum, difference and product rules")
    func rules() {
        let (f, g) = (Self.f, Self.g)
        check("f + g", { Self.jet1($0) + Self.jet1($1) }, is: { f($0, $1) + g($0, $1) })
        check("f - g", { Self.jet1($0) - Self.jet1($1) }, is: { f($0, $1) - g($0, $1) })
        check("3 f + g", { 3 * Self.jet1($0) + Self.jet1($1) }, is: { 3 * f($0, $1) + g($0, $1) })
        check("f g", { Self.jet1($0) * Self.jet1($1) }, is: { f($0, $1) * g($0, $1) })
        check("f + 2", { f, _ in Self.jet1(f) + 2 }, is: { x, y in f(x, y) + 2 })
        check(
            "(f² + 1)^(-1/3)", { f, _ in (Self.jet1(f) * Self.jet1(f) + 1).power(-1.0 / 3) },
            is: { x, y in pow(f(x, y) * f(x, y) + 1, -1.0 / 3) })
        check(
            "f (f - 2 g) g", { Self.jet1($0) * (Self.jet1($0) - 2 * Self.jet1($1)) * Self.jet1($1) },
            is: { f($0, $1) * (f($0, $1) - 2 * g($0, $1)) * g($0, $1) })
    }

    @Test("takes the derivatives of a second-order jet as jets themselves")
    func secondOrder() {
        let (f, g) = (Self.f, Self.g)
        check("f_x g_y", { $0.dx * $1.dy }, is: { f.derivative(1, 0, $0, $1) * g.derivative(0, 1, $0, $1) })
        check("f_y + g_x", { $0.dy + $1.dx }, is: { f.derivative(0, 1, $0, $1) + g.derivative(1, 0, $0, $1) })
    }

    @Test("rests on frequencies whose derivatives are the differences of their values")
    func frequencies() {
        for (m, n) in [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0)] {
            let (x, y) = (0.7, -0.2)
            let alongX = Difference.derivative(step: 0.02) { Self.f.derivative(m, n, x + $0, y) }
            let alongY = Difference.derivative(step: 0.02) { Self.f.derivative(m, n, x, y + $0) }
            // Order 8 at 0.02 (see `Difference`).
            #expect(abs(Self.f.derivative(m + 1, n, x, y) - alongX) < 1e-12)
            #expect(abs(Self.f.derivative(m, n + 1, x, y) - alongY) < 1e-12)
        }
    }
}
